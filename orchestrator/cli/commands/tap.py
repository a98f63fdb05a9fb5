"""`orchestrator tap`"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator import Workspace
from orchestrator.cli.command import Group, answer, asked, json_option, workspace
from orchestrator.cli.names import TAP
from orchestrator.cli.progress import working
from orchestrator.cli.terminal import put, say, say_next, styled
from orchestrator.cli.words import counted, document

if TYPE_CHECKING:
    from orchestrator.contract import Judged


@click.group("tap", cls=Group)
def tap() -> None:
    """Make, test and record a tap of your own."""


@tap.command("new")
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(["rest", "sql", "plain"]),
    default="rest",
    show_default=True,
    help="What it reads: an API, a database, anything else.",
)
@click.option("--extends", type=TAP, metavar="BASE", help="The tap that it specialises: a folder, or a tap here.")
@json_option
def make(name: str, kind: str, extends: str | None) -> None:
    """Make the project of a tap in a new folder, tap-NAME.

    It is written with the Singer SDK, runs, and passes its own tests against a small source of its own.
    """
    made = Workspace.new_tap(Path.cwd(), name, kind=kind, extends=extends)
    say(f"Created {made.name}/   {', '.join(file for file in made.files if not file.startswith('tests/__'))}")
    say_next(*made.add_tap)
    answer(tap=made)


@tap.command("test")
@click.argument("tap", type=TAP)
@click.option(
    "--records",
    type=click.IntRange(min=0),
    default=20_000,
    show_default=True,
    metavar="N",
    help="Hear at most so many in each start; 0: all.",
)
@click.option(
    "--seconds", type=click.FloatRange(min=1), default=60.0, show_default=True, help="Hear each start for so long."
)
@json_option
def try_out(tap: str, records: int, seconds: float) -> int:
    """Hold a tap against some thirty points that any tap should keep.

    It is started up to nine times: asked what it offers, read from its beginning, stopped in the middle, resumed, with
    one stream alone, without settings, with wrong secrets. Nothing lands, and no bookmark moves. The exit code is 1
    when a point is broken; each that is tells what that means and how to mend it.
    """
    from orchestrator.contract import Verdict

    opened = workspace()
    with working(f"Trying {tap}") as listen:
        tried = opened.test_tap(tap, records=records, seconds=seconds, listen=listen)
    broken = tried.count(Verdict.BROKEN)
    if asked().json:
        put(document(tap=tap, name=tried.name, points=[_members(each) for each in tried.judged]))
    else:
        put("\n".join(_lines(each) for each in tried.judged))
    untried = tried.count(Verdict.NOT_TRIED)
    say(
        f"{tried.name} keeps {tried.count(Verdict.KEPT)} of {counted(len(tried.judged), 'point')}"
        + (f", breaks {broken}" if broken else "")
        + (f"; {untried} could not be tried" if untried else "")
    )
    return 1 if broken else 0


_MARKS = {"kept": ("✓", "green"), "broken": ("✗", "red"), "not tried": ("–", "dim")}


def _lines(judged: "Judged") -> str:
    point = judged.point
    mark, colour = _MARKS[judged.verdict]
    lines = [f"{styled(mark, colour)} {point.id:{_WIDTH}} it {point.promise}"]
    if judged.verdict == "broken":
        lines += [f"    found: {judged.found}", f"    means: {point.means}", f"    mend: {point.mend}"]
    elif judged.found:
        lines += [f"    not tried: {judged.found}"]
    return "\n".join(lines)


_WIDTH = 22


def _members(judged: "Judged") -> dict[str, object]:
    point = judged.point
    return {
        "id": point.id,
        "promise": f"it {point.promise}",
        "verdict": judged.verdict,
        "found": judged.found,
        "means": point.means,
        "mend": point.mend,
    }


@tap.command("record")
@click.argument("tap", type=TAP)
@click.option(
    "--to", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Where to (default: cassettes/TAP)."
)
@click.option(
    "--records",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    metavar="N",
    help="Keep at most so many of each stream; 0: all.",
)
@click.option(
    "--seconds", type=click.FloatRange(min=1), default=600.0, show_default=True, help="Hear it for so long at most."
)
@json_option
def record(tap: str, to: Path | None, records: int, seconds: float) -> None:
    """Keep what a tap says, as a tap that says the same without the source.

    It begins at its beginning and takes what is selected; nothing lands, and no bookmark moves. What is kept is without
    the secrets of its config; look it over before it goes into git all the same, for it holds rows of the source.
    """
    opened = workspace()
    with working(f"Hearing {tap}") as listen:
        recorded = opened.record_tap(tap, to=to, each=records, seconds=seconds, listen=listen)
    label = recorded.label
    where = _shown(recorded.folder)
    rows = counted(sum(label.records.values()), "record")
    say(f"✓ Recorded {label.package} {label.version} in {where}: {rows} of {counted(len(label.records), 'stream')}")
    if label.cut:
        say(f"note: it is cut short: {label.cut}")
    if recorded.masked:
        say(f"note: a secret stood in {counted(recorded.masked, 'message')}, and was masked")
    say_next("add-tap", where, "--as", f"{tap}-cassette")
    answer(cassette=recorded)


def _shown(folder: Path) -> str:
    """A folder as a person would type it here."""
    relative = os.path.relpath(folder)
    return str(folder) if relative.startswith("..") else f"./{relative}"
