"""`orchestrator add-tap`"""

from functools import partial

import click

from orchestrator.cli.agreement import agreement, fix_option
from orchestrator.cli.command import answer, command, json_option, workspace
from orchestrator.cli.names import DESTINATION
from orchestrator.cli.progress import working
from orchestrator.cli.terminal import say, say_next
from orchestrator.errors import UsageError


@command("add-tap")
@click.argument("requirement", metavar="PACKAGE")
@click.option("--as", "id", metavar="ID", help="What to call the tap here (default: its name without tap-).")
@click.option("--python", metavar="VERSION", help="The Python to run it on: 3.11, or a path.")
@click.option("--with", "extras", multiple=True, metavar="PACKAGE", help="Install this beside it. Repeatable.")
@click.option(
    "--override", "overrides", multiple=True, metavar="PACKAGE", help="Take this version whatever it asks for."
)
@click.option(
    "--build-constraint",
    "build_constraints",
    multiple=True,
    metavar="PACKAGE",
    help="Build what has to be built with this version. Repeatable.",
)
@click.option("--no-build", is_flag=True, help="Refuse packages that would have to be built here.")
@click.option("--exclude-newer", metavar="DATE", help="Take no package that was released after this day.")
@click.option("--executable", metavar="NAME", help="The program that starts it, if its name does not tell.")
@click.option("--to", "destination", type=DESTINATION, help="Where its rows go (default: the only destination).")
@fix_option
@click.option("--from-hub", is_flag=True, help="PACKAGE is a name in the hub, which knows the rest.")
@click.option("--variant", metavar="NAME", help="With --from-hub: by whom (default: the one it recommends).")
@json_option
def add_tap(
    requirement: str,
    id: str | None,
    python: str | None,
    extras: tuple[str, ...],
    overrides: tuple[str, ...],
    build_constraints: tuple[str, ...],
    no_build: bool,
    exclude_newer: str | None,
    executable: str | None,
    destination: str | None,
    fix: bool | None,
    from_hub: bool,
    variant: str | None,
) -> None:
    """Install a tap in an environment of its own, with a flow.

    PACKAGE is a name with or without a version (tap-gitlab==0.5.1), a git+https URL or a path. The tap is started
    once before it is added. Where it does not start, what mends it is sought: packages that it needs and does not say,
    another Python, versions of its time, other versions. The first that works is the last line of the error.

    With --from-hub PACKAGE is a tap of the public index (orchestrator taps search WORD), which says where it comes
    from, in which variants, and what it understands.
    """
    opened = workspace()
    if variant and not from_hub:
        raise UsageError(
            "only the hub knows variants", hint=f"orchestrator add-tap {requirement} --from-hub --variant {variant}"
        )
    add = partial(opened.add_from_hub, variant=variant) if from_hub else opened.add_tap
    with working(f"Installing {requirement}") as work:
        added = add(
            requirement,
            id=id,
            python=python,
            extras=extras,
            overrides=overrides,
            build_constraints=build_constraints,
            no_build=no_build,
            exclude_newer=exclude_newer,
            executable=executable,
            destination=destination,
            fix=agreement(fix, work),
            listen=work,
        )
    needs = opened.settings(added.id).lacking
    if needs:
        say(f"  Needs   {'  '.join(f'{each.name} (secret)' if each.secret else each.name for each in needs)}")
    say(f'Added tap "{added.id}" and flow "{added.flow}" → {added.destination} to orchestrator.toml')
    say_next("config", added.id)
    answer(tap=added, needs=[each.name for each in needs])
