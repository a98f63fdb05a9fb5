"""`orchestrator load`: what comes through stdin lands; each state goes to stdout once it is committed."""

import select
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from orchestrator import load_messages
from orchestrator.cli.command import command, scrutiny_options
from orchestrator.cli.progress import tell
from orchestrator.cli.terminal import hand_over, say
from orchestrator.cli.words import counted
from orchestrator.errors import Stopped
from orchestrator.supervisor.blocks import read_blocks
from orchestrator.supervisor.stopping import Stop


@command("load")
@click.option("--to", required=True, metavar="KIND:PATH", help="duckdb:FILE or parquet:FOLDER; made when missing.")
@click.option("--flow", default="load", show_default=True, help="Keeps the states of several sources apart.")
@click.option(
    "--batch-root",
    "batch_roots",
    multiple=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder that files named by BATCH messages may lie in (default: this one). Repeatable.",
)
@click.option("--soft-delete", is_flag=True, help="Keep deleted rows, marked with _sdc_deleted_at.")
@click.option(
    "--nested",
    type=click.Choice(["json", "struct"]),
    default="json",
    show_default=True,
    help="As what objects and arrays land.",
)
@click.option(
    "--flatten",
    metavar="LEVELS",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Give the members of objects columns of their own, PARENT__CHILD, so many levels down.",
)
@click.option(
    "--commit-rows",
    type=click.IntRange(min=1),
    envvar="ORCHESTRATOR_COMMIT_ROWS",
    help="Commit at the first STATE after so many rows.",
)
@click.option(
    "--commit-seconds",
    type=click.FloatRange(min=0),
    envvar="ORCHESTRATOR_COMMIT_SECONDS",
    help="Commit at the first STATE after so many seconds.",
)
@scrutiny_options
def load(
    to: str,
    flow: str,
    batch_roots: tuple[Path, ...],
    soft_delete: bool,
    nested: str,
    flatten: int,
    commit_rows: int | None,
    commit_seconds: float | None,
    on_bad_line: str | None,
    validate: str | None,
) -> None:
    """Load Singer messages from stdin; needs no workspace.

    \b
        some-tap --config config.json --state state.json \\
          | orchestrator load --to duckdb:warehouse.duckdb >> states.jsonl

    Each state of the tap is printed once the rows before it are committed. The exit code is 0 only when
    everything is.
    """
    if sys.stdin.isatty():
        say("Reading Singer messages from the keyboard; Ctrl-D ends them.")
    stop = Stop()
    with stop.on_signals():
        loaded = load_messages(
            _until(stop, read_blocks(sys.stdin.fileno())),
            to,
            flow=flow,
            acknowledge=_acknowledge,
            before_commit=_check_that_somebody_listens,
            batch_roots=batch_roots,
            soft_delete=soft_delete,
            nested=nested,
            flatten=flatten,
            commit_rows=commit_rows,
            commit_seconds=commit_seconds,
            on_bad_line=on_bad_line,
            validate=validate,
            listen=tell,
        )
    if refused := sum(loaded.quarantined.values()):
        say(f"{counted(refused, 'line')} could not land and went to _orchestrator.quarantine")


def _acknowledge(state: bytes) -> None:
    hand_over(state + b"\n")


def _check_that_somebody_listens() -> None:
    """A state that nobody can read any more must not be committed: who started us would never know of it."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    if any(event & (select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0)):
        raise BrokenPipeError


def _until(stop: Stop, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The blocks while nobody asks to stop. Ending like the tap would commit; so this ends with Stopped."""
    for block in blocks:
        if stop:
            break
        yield block
    if stop.signal is not None:
        raise Stopped(
            "stopped before the end of the messages",
            signal=stop.signal,
            data="what was committed stays; what came after the last state on stdout was not kept",
        )
