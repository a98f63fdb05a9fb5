"""Where orchestrator.toml says what a tap is told, and one error out of all that is wrong with it."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.config.problems import Document
from orchestrator.config.reading import read_text, shown
from orchestrator.config.statements import Place, Statement, line_of, statements


@dataclass(frozen=True, slots=True)
class Written:
    """The text of an orchestrator.toml that can be read, line by line."""

    name: str
    document: Document
    statements: tuple[Statement, ...]

    @classmethod
    def read(cls, path: Path) -> "Written":
        """Raises ConfigError when the file cannot be read."""
        return cls.of(read_text(path), path)

    @classmethod
    def of(cls, text: str, path: Path) -> "Written":
        """A text that is, or is about to be, in the file at `path`."""
        return cls(shown(path), tomllib.loads(text), tuple(statements(text)))

    def where(self, tap: str, place: Iterable[str | int] = (), *, field: str = "config") -> str:
        """`orchestrator.toml:12`: where the tap, or the one it inherits from, says what is at a place of its config, or
        of another `field`; where none says it, where the config of the tap stands."""
        place = (field, *place)
        said = next((each for each in self.lineage(tap) if self._says(each, place)), tap)
        return f"{self.name}:{line_of(self.statements, ('taps', said, *place))}"

    def lineage(self, tap: str) -> Iterable[str]:
        """The tap, the one it inherits from, and so on."""
        at: str | None = tap
        while at is not None:
            yield at
            at = self.document["taps"][at].get("inherit")

    def _says(self, tap: str, place: Place) -> bool:
        found = self.document["taps"][tap]
        for step in place:
            if isinstance(found, list) and isinstance(step, int):
                found = found[step]
                continue
            if not isinstance(found, dict) or step not in found:
                return False
            found = found[step]
        return True
