"""docs/reference/commands.md, as the commands themselves say it. `python -m tests.docs.commands` writes it."""

import inspect
import textwrap
from collections.abc import Iterator

import click

from orchestrator.cli.command import EVERYWHERE
from orchestrator.cli.program import COMMANDS, orchestrator
from tests.docs.markdown import ROOT

PATH = ROOT / "docs" / "reference" / "commands.md"

INTRODUCTION = """\
# Commands

Data goes to stdout, everything else to stderr. Without a terminal there are no colours and nothing moves; `NO_COLOR`
takes the colours away from one. With `--json` stdout is exactly one document, `{"schema": 1, …}`, on one line unless a
person sits there. Questions are asked only on a terminal, and `--yes` answers them beforehand. Times are shown in the
zone of the machine, and in JSON as RFC 3339 in UTC.

An option can come from the environment too: `--commit-rows` of `orchestrator run` from `ORCHESTRATOR_RUN_COMMIT_ROWS`.
The command line goes before the environment, and both before [`orchestrator.toml`](settings.md). [Errors](errors.md)
tells what the exit codes mean.

Every command takes these:"""


def as_markdown() -> str:
    """The whole document."""
    context = click.Context(orchestrator, info_name="orchestrator")
    parts = [INTRODUCTION, _options([*EVERYWHERE], context)]
    for section, names in COMMANDS.items():
        parts.append(f"## {section}")
        for name in names:
            command = orchestrator.get_command(context, name)
            assert command is not None
            parts += _command(command, context)
    return "\n\n".join(parts) + "\n"


def _command(command: click.Command, above: click.Context, level: int = 3) -> Iterator[str]:
    context = click.Context(command, info_name=command.name, parent=above)
    below = [*command.commands.values()] if isinstance(command, click.Group) else []
    taken = ("[OPTIONS]", "COMMAND [ARGS]...")
    arguments = [piece for piece in command.collect_usage_pieces(context) if piece not in taken]
    yield f"{'#' * level} {' '.join([context.command_path, *arguments])}"
    yield _text(command.help or "")
    own = [option for option in command.params if isinstance(option, click.Option) and option not in EVERYWHERE]
    if own:
        yield _options(own, context)
    for each in below:
        yield from _command(each, context, level + 1)


def _options(options: list[click.Option], context: click.Context) -> str:
    rows = ["| option | |", "|---|---|"]
    for option in options:
        record = option.get_help_record(context)
        assert record is not None, f"{context.command_path} hides {option.name}"
        said, meaning = (part.replace("|", "\\|") for part in record)
        rows.append(f"| `{said}` | {meaning} |")
    return "\n".join(rows)


def _text(help: str) -> str:
    """Paragraphs as they flow; those that click leaves as they are, as code."""
    return "\n\n".join(
        textwrap.indent(textwrap.dedent(each.removeprefix("\b\n")), "    ")
        if each.startswith("\b")
        else textwrap.fill(" ".join(each.split()), 120, break_on_hyphens=False)
        for each in inspect.cleandoc(help).split("\n\n")
    )


if __name__ == "__main__":
    PATH.write_text(as_markdown())
