"""`orchestrator taps`"""

from typing import TYPE_CHECKING, Any

import click

from orchestrator.actions.list_taps import TapListed
from orchestrator.cli.command import Group, answer, asked, format_option, json_option, show, workspace
from orchestrator.cli.names import TAP
from orchestrator.cli.progress import tell
from orchestrator.cli.tables import Column, facts, table, with_dim_head
from orchestrator.cli.terminal import put, say, say_next
from orchestrator.cli.words import counted, document
from orchestrator.errors import NoWorkspace

if TYPE_CHECKING:
    from orchestrator.actions.outdated import TapOutdated
    from orchestrator.actions.show_tap import TapShown
    from orchestrator.config import Hub
    from orchestrator.envs.audit import Vulnerability
    from orchestrator.hub import Entry, Listed


@click.group("taps", cls=Group, invoke_without_command=True)
@format_option()
@click.pass_context
def taps(context: click.Context, format: str) -> None:
    """List the taps and their environments."""
    if context.invoked_subcommand is not None:
        return
    known = workspace().taps()
    show(format, "taps", known, COLUMNS)
    if not known:
        say("There are no taps yet.")
        say_next("add-tap", "NAME")


@taps.command("outdated")
@format_option()
def outdated(format: str) -> None:
    """List taps of which there are newer versions.

    Beside the version that is locked stand the newest that the requirement in orchestrator.toml allows, and the newest
    there is.
    """
    found = [tap for tap in workspace().outdated() if tap.is_outdated]
    show(format, "taps", found, OUTDATED)
    if not found:
        say("✓ Every tap that comes from an index is at its newest version")
    elif upgradable := [tap for tap in found if tap.allowed != tap.version]:
        say_next("upgrade", upgradable[0].id)


@taps.command("audit")
@click.argument("taps", nargs=-1, type=TAP)
@format_option()
def audit(taps: tuple[str, ...], format: str) -> int:
    """Look for published vulnerabilities in what taps depend on.

    pip-audit asks PyPI, and where that does not answer OSV. The exit code is 1 when something was found, and 8 when no
    feed can be reached.
    """
    audited = workspace().audit(taps)
    rows = [(tap.id, found) for tap in audited for found in tap.vulnerabilities]
    if format == "json":
        put(document(taps=audited))
    else:
        show(format, "vulnerabilities", rows, VULNERABILITIES)
    for tap in audited:
        mark = "✗" if tap.vulnerabilities else "✓"
        known = counted(len(tap.vulnerabilities), "published vulnerability", "published vulnerabilities")
        say(f"{mark} {tap.id}: {known} in {counted(tap.packages, 'package')}")
    return int(bool(rows))


@taps.command("search")
@click.argument("word")
@format_option()
def search(word: str, format: str) -> None:
    """Find taps in the hub, the public index of taps.

    Lists those with WORD in their names, and of the one that is called so every variant, the recommended one first.
    Needs no workspace.
    """
    from orchestrator.api import search_hub

    found = search_hub(word, _hub(), listen=tell)
    if format == "json":
        put(document(taps=found.taps, variants=[_members(entry) for entry in found.entries]))
    elif found.entries:
        show(format, "variants", found.entries, VARIANTS)
    else:
        show(format, "taps", found.taps, LISTED)
    say_next("add-tap", found.entries[0].name if found.entries else "NAME", "--from-hub")


def _hub() -> "Hub | None":
    """The one that the workspace says, where there is a workspace."""
    try:
        return workspace().config.hub
    except NoWorkspace:
        return None


def _members(entry: "Entry") -> dict[str, Any]:
    settings = [
        {
            "name": setting.name,
            "kind": setting.kind.value,
            "required": setting.required,
            "secret": setting.secret,
            "description": setting.description,
        }
        for setting in entry.settings
    ]
    return {
        "name": entry.name,
        "variant": entry.variant,
        "description": entry.description,
        "package": entry.package,
        "with": entry.extras,
        "repository": entry.repository,
        "settings": settings,
    }


LISTED: list[Column["Listed"]] = [
    Column("tap", lambda tap: tap.name),
    Column("variants", lambda tap: tap.variants),
]
VARIANTS: list[Column["Entry"]] = [
    Column("tap", lambda entry: entry.name),
    Column("variant", lambda entry: entry.variant),
    Column("package", lambda entry: entry.package),
    Column("settings", lambda entry: len(entry.settings)),
]


@taps.command("show")
@click.argument("tap", type=TAP)
@json_option
def show_tap(tap: str) -> None:
    """Show all that is known of a tap.

    What it is and runs in, the settings that it understands and who says what, the streams that it offers, and the
    variables of the environment that it is given.
    """
    from orchestrator.cli.commands.select import COLUMNS as STREAMS
    from orchestrator.cli.commands.select import members as members_of_stream
    from orchestrator.cli.settings import ORIGIN, SAID, UNDERSTOOD, members

    found = workspace().tap(tap)
    settings, streams = found.settings.settings, found.streams
    if asked().json:
        answer(
            tap=found.listed,
            author=found.author,
            description=found.description,
            settings=[members(each) for each in settings],
            unread=found.settings.unread,
            streams=None if streams is None else [members_of_stream(choice) for choice in streams],
            variables=found.variables,
        )
        return
    put(facts(_facts(found)))
    if settings:
        put(f"\n{with_dim_head(table([*SAID, ORIGIN, *UNDERSTOOD], settings))}")
    if streams:
        put(f"\n{with_dim_head(table(STREAMS, streams))}")
    for key in found.settings.unread:
        say(f"note: {found.settings.name} never reads {key}")
    if streams is None:
        say_next("discover", tap)


def _facts(found: "TapShown") -> list[tuple[str, Any]]:
    tap = found.listed
    known: list[tuple[str, Any]] = [
        ("tap", tap.id),
        ("package", f"{tap.package} ({found.author})" if found.author else tap.package),
        ("version", tap.version),
        ("about", found.description),
        ("python", tap.python),
        ("executable", tap.executable),
        ("environment", f"{tap.standing.value}, in envs/{tap.environment}"),
        ("takes", tap.capabilities),
        ("flows", tap.flows),
        ("variables", found.variables),
    ]
    return [(name, value) for name, value in known if value]


OUTDATED: list[Column["TapOutdated"]] = [
    Column("tap", lambda tap: tap.id),
    Column("package", lambda tap: tap.package),
    Column("locked", lambda tap: tap.version),
    Column("allowed", lambda tap: tap.allowed),
    Column("newest", lambda tap: tap.newest),
]
VULNERABILITIES: list[Column[tuple[str, "Vulnerability"]]] = [
    Column("tap", lambda row: row[0]),
    Column("package", lambda row: row[1].package),
    Column("version", lambda row: row[1].version),
    Column("vulnerability", lambda row: (row[1].id, *row[1].aliases)),
    Column("fixed in", lambda row: row[1].fixed_in),
]
COLUMNS: list[Column[TapListed]] = [
    Column("tap", lambda tap: tap.id),
    Column("package", lambda tap: tap.package),
    Column("version", lambda tap: tap.version),
    Column("python", lambda tap: tap.python),
    Column("environment", lambda tap: tap.standing.value),
    Column("flows", lambda tap: tap.flows),
]
