"""`orchestrator state`"""

from typing import TYPE_CHECKING, Any, BinaryIO

import click

from orchestrator.cli.command import Group, answer, confirm, format_option, json_option, show, workspace, yes_option
from orchestrator.cli.names import FLOW
from orchestrator.cli.progress import tell
from orchestrator.cli.tables import Column
from orchestrator.cli.terminal import hand_over, put, say, say_next
from orchestrator.cli.words import Moment, document, moment, raw
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.actions.flow_state import FlowState
    from orchestrator.load.commit import Commit


@click.group("state", cls=Group)
def state() -> None:
    """Show, export or change where a flow stands.

    The state is what a tap resumes from; its bookmark of a stream is the position in it.
    """


@state.command("show")
@click.argument("flow", type=FLOW)
@format_option()
def show_state(flow: str, format: str) -> None:
    """Show the bookmarks that the next run starts from."""
    found = workspace().state(flow, listen=tell)
    if format == "json":
        put(document(**_members(found)))
    else:
        show(format, "bookmarks", [*found.bookmarks.items()], BOOKMARKS)
    if found.commit is None:
        say(f'Nothing was committed of "{flow}" yet.')
        say_next("run", flow)
    else:
        say(f"Saved with commit {found.commit.number}, {moment(found.commit.at)}")
        if not found.bookmarks:
            say_next("state", "export", flow)


@state.command("history")
@click.argument("flow", type=FLOW)
@format_option()
def show_history(flow: str, format: str) -> None:
    """List every commit of a flow, the oldest first."""
    commits = workspace().history(flow)
    if format == "json":
        put(document(flow=flow, commits=[_commit(commit) for commit in commits]))
    else:
        show(format, "commits", commits, COMMITS)
    if not commits:
        say(f'Nothing was committed of "{flow}" yet.')
        say_next("run", flow)


@state.command("export")
@click.argument("flow", type=FLOW)
def export_state(flow: str) -> None:
    """Print the state, as the tap wrote it."""
    found = workspace().state(flow, listen=tell)
    if found.state is None:
        raise UsageError(f'"{flow}" has no state', data="nothing was printed", hint=f"orchestrator state show {flow}")
    hand_over(found.state + b"\n")


@state.command("set")
@click.argument("flow", type=FLOW)
@click.argument("file", type=click.File("rb"), default="-")
@json_option
def set_state(flow: str, file: BinaryIO) -> None:
    """Take the state from FILE, or from stdin.

    It is JSON as the tap writes it, and the next run starts from it. The rows stay, and the state before stays in the
    history.
    """
    changed = workspace().set_state(flow, file.read(), listen=tell)
    _changed(changed, "starts from that state")


@state.command("reset")
@click.argument("flow", type=FLOW)
@yes_option
@json_option
def reset_state(flow: str, yes: bool) -> None:
    """Make the next run start from nothing.

    The rows stay. The state before stays in the history.
    """
    opened = workspace()
    opened.config.flow(flow)
    confirm(
        f'Forget the bookmarks of "{flow}", so that the next run reads everything?',
        yes=yes,
        otherwise=f"orchestrator state reset {flow} --yes",
    )
    _changed(opened.reset_state(flow, listen=tell), "reads everything")


def _changed(changed: "FlowState", effect: str) -> None:
    number = changed.commit.number if changed.commit else None
    say(f"✓ The next run {effect}; commit {number} says so, and `--from-commit` goes back before it")
    say_next("run", changed.flow)
    answer(**_members(changed))


def _members(found: "FlowState") -> dict[str, Any]:
    return {
        "flow": found.flow,
        "commit": found.commit.number if found.commit else None,
        "committed_at": found.commit.at if found.commit else None,
        "state": raw(found.state),
        "bookmarks": found.bookmarks,
    }


def _commit(commit: "Commit") -> dict[str, Any]:
    return {
        "commit": commit.number,
        "run": commit.run,
        "committed_at": commit.at,
        "rows": commit.rows,
        "state": raw(commit.state),
        "bookmarks": _bookmarks(commit),
    }


def _bookmarks(commit: "Commit") -> dict[str, str]:
    from orchestrator.protocol.bookmarks import bookmarks

    return bookmarks(commit.state)


BOOKMARKS: list[Column[tuple[str, str]]] = [
    Column("stream", lambda bookmark: bookmark[0]),
    Column("bookmark", lambda bookmark: bookmark[1]),
]
COMMITS: "list[Column[Commit]]" = [
    Column("commit", lambda commit: commit.number),
    Column("run", lambda commit: commit.run),
    Column("committed", lambda commit: Moment(commit.at)),
    Column("rows", lambda commit: commit.total),
    Column("by stream", lambda commit: ", ".join(f"{stream} {rows}" for stream, rows in commit.rows.items())),
    Column("bookmarks", lambda commit: ", ".join(f"{key} {value}" for key, value in _bookmarks(commit).items())),
]
