"""Reads our documents: the commands in them, the tables, and where their links lead."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_STARTS_WHERE = re.compile(r"^<!-- starts where (\S+) ends -->$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_PROMPT, _CONTINUED = "$ ", "> "


@dataclass(frozen=True)
class Step:
    """One command as it is typed, and what the document says that it prints."""

    command: str
    output: str


def documents() -> list[Path]:
    """Every document that people read, the READMEs of folders among them."""
    of_folders = [ROOT / folder / "README.md" for folder in ("benchmarks", "catalogs", "envs", "examples", "state")]
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *of_folders])


def steps(text: str) -> list[Step]:
    """The commands of the ```console blocks, in order."""
    return [step for block in _CONSOLE.findall(text) for step in _steps(block.splitlines())]


def steps_before(text: str) -> list[Step]:
    """The commands of the document of docs/ that this one goes on from, if it says so."""
    found = _STARTS_WHERE.search(text)
    return steps((ROOT / "docs" / found[1]).read_text()) if found else []


def _steps(lines: list[str]) -> Iterator[Step]:
    commands: list[list[str]] = []
    outputs: list[list[str]] = []
    for line in lines:
        if line.startswith(_PROMPT):
            commands.append([line.removeprefix(_PROMPT)])
            outputs.append([])
        elif f"{line} ".startswith(_CONTINUED) and not outputs[-1]:
            commands[-1].append(line[len(_CONTINUED) :])
        else:
            outputs[-1].append(line)
    for command, output in zip(commands, outputs, strict=True):
        yield Step("\n".join(command), "\n".join(output))


def with_outputs(text: str, outputs: Iterator[str]) -> str:
    """The document with what its commands print replaced by `outputs`."""

    def rewritten(block: re.Match[str]) -> str:
        lines = ["```console"]
        for step in _steps(block[1].splitlines()):
            first, *more = step.command.split("\n")
            lines += [_PROMPT + first, *((_CONTINUED + line).rstrip() for line in more), *next(outputs).splitlines()]
        return "\n".join([*lines, "```"])

    return _CONSOLE.sub(rewritten, text)


def table(text: str, heading: str) -> list[dict[str, str]]:
    """The rows of the first table under a heading, each by the heads of the columns; backticks are left out."""
    section = re.split(rf"^#+ {re.escape(heading)}$", text, flags=re.MULTILINE)[1]
    lines = re.search(r"^\|.*\|$(\n^\|.*\|$)+", section, re.MULTILINE)
    assert lines is not None, f"there is no table under {heading!r}"
    heads, _, *rows = [_cells(line) for line in lines[0].splitlines()]
    return [dict(zip(heads, row, strict=True)) for row in rows]


def _cells(line: str) -> list[str]:
    # A bar inside a cell is written \|.
    cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return [cell.replace("\\|", "|").replace("`", "").strip() for cell in cells]


def headings(text: str) -> list[str]:
    return re.findall(r"^#+ (.*)$", _without_code(text), re.MULTILINE)


def links(text: str) -> list[str]:
    return _LINK.findall(_without_code(text))


def _without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
