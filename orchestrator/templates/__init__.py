"""A new tap's project, made of a template: files of a project that runs, whose names are replaced.

    common/      what every project has
    rest/        a source that is asked over HTTP, page by page
    sql/         a database
    plain/       any other source: here a folder of files
    extension/   a tap that specialises another one

The folders hold data and no modules of ours: nothing imports them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_HERE = Path(__file__).parent
# A file of this name would count here, too.
_RENAMED = {"gitignore": ".gitignore"}


class Kind(StrEnum):
    """What a new tap reads."""

    REST = "rest"
    SQL = "sql"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Base:
    """A tap of the Singer SDK that another one specialises: its distribution, and where its class is.

    `requirement` is what the project asks for; `folder` is where the base lies, None for one that an index has.
    """

    distribution: str
    requirement: str
    module: str
    tap_class: str
    folder: str | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """What a new tap is called: `shop` in a workspace, `tap-shop` to be installed, `TapShop` in its code."""

    id: str

    @property
    def distribution(self) -> str:
        return f"tap-{self.id}"

    @property
    def module(self) -> str:
        return self.distribution.replace("-", "_")

    @property
    def stem(self) -> str:
        return "".join(part.capitalize() for part in self.id.split("-"))


def project(names: Names, kind: Kind, base: Base | None = None) -> dict[str, str]:
    """The files of a new project, by their paths in it. With a `base`, its kind is that of the base."""
    folders = ["common", "extension" if base else kind.value]
    files = {name: text for folder in folders for name, text in _files(_HERE / folder)}
    words = _words(names) | (_words_of_a_base(names, base) if base else {})
    return {_replaced(name, words): _replaced(text, words) for name, text in sorted(files.items())}


def add_tap_words(names: Names, base: Base | None) -> tuple[str, ...]:
    """What installs the project, typed in the folder that it was made in."""
    beside = ("--with", base.folder) if base and base.folder else ()
    return ("add-tap", f"./{names.distribution}", *beside)


def _files(folder: Path) -> Iterable[tuple[str, str]]:
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield str(path.relative_to(folder).with_name(_RENAMED.get(path.name, path.name))), path.read_text()


def _words(names: Names) -> dict[str, str]:
    return {
        "tap-example": names.distribution,
        "tap_example": names.module,
        "example-id": names.id,
        "Example": names.stem,
    }


def _words_of_a_base(names: Names, base: Base) -> dict[str, str]:
    return {
        "BASE_REQUIREMENT": base.requirement,
        "ADD_TAP": " ".join(("orchestrator", *add_tap_words(names, base))),
        "tap-base": base.distribution,
        "base_module": base.module,
        "TapBase": base.tap_class,
    }


def _replaced(text: str, words: Mapping[str, str]) -> str:
    for word, instead in words.items():
        text = text.replace(word, instead)
    return text
