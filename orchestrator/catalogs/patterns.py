"""What a person types to choose streams and properties: `issues`, `issues.author.*`, `!*.description`.

`*` stands for any characters, dots included, as names of streams and properties may hold dots themselves.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from orchestrator.catalogs.dialects import Names
from orchestrator.catalogs.reading import Catalog, Stream
from orchestrator.config.values import closest
from orchestrator.errors import UnknownName

NAMES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern; `text` is without the "!" of one that excludes."""

    text: str
    excludes: bool = False

    def names_stream(self, stream: Stream) -> bool:
        """Whether the pattern names the stream itself."""
        return any(matches(self.text, alias) for alias in stream.aliases)

    def properties(self, stream: Stream) -> frozenset[Names]:
        """The properties of the stream that the pattern names."""
        tails = [tail for head, tail in self._cuts() if Pattern(head).names_stream(stream)]
        return frozenset(
            property.names for property in stream.properties if any(matches(tail, str(property)) for tail in tails)
        )

    def finds_something(self, catalog: Catalog) -> bool:
        """Whether the pattern names a stream of the catalog, or a property of one."""
        return any(self.names_stream(stream) or self.properties(stream) for stream in catalog.streams)

    def _cuts(self) -> Iterator[tuple[str, str]]:
        """Each way to read the pattern as a stream, a dot and a property."""
        for dot in re.finditer(r"\.", self.text):
            yield self.text[: dot.start()], self.text[dot.end() :]

    def __str__(self) -> str:
        return f"!{self.text}" if self.excludes else self.text


def read_pattern(text: str) -> Pattern:
    return Pattern(text.removeprefix("!"), excludes=text.startswith("!"))


def matches(text: str, name: str) -> bool:
    """Whether `name` is what `text` says, its `*` standing for anything."""
    return _expression(text).fullmatch(name) is not None


@lru_cache(maxsize=1024)
def _expression(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)


def named(catalog: Catalog, patterns: Iterable[str]) -> list[int]:
    """The places of the streams that patterns name. Raises UnknownName for a pattern that names none."""
    found: set[int] = set()
    for pattern in map(Pattern, patterns):
        places = [place for place, stream in enumerate(catalog.streams) if pattern.names_stream(stream)]
        if not places:
            raise unknown(pattern, catalog)
        found.update(places)
    return sorted(found)


def unknown(pattern: Pattern, catalog: Catalog) -> UnknownName:
    """The error for a pattern that finds nothing in the catalog."""
    head, dot, tail = pattern.text.partition(".")
    named = [stream for stream in catalog.streams if Pattern(head).names_stream(stream)]
    if dot and named:
        offered = [str(property) for stream in named for property in stream.properties]
        cause = f"{head} has {shortened(offered)}"
        near = closest(tail, offered)
        meant = f"{head}.{near}"
    else:
        offered = [stream.id for stream in catalog.streams]
        cause = f"the streams are {shortened(offered)}"
        near = closest(head, (alias for stream in catalog.streams for alias in (stream.id, stream.name)))
        meant = f"{near}{dot}{tail}"
    return UnknownName(
        f'"{pattern}" matches nothing in the catalog',
        cause=cause if offered else "it is empty",
        hint=f'did you mean "{Pattern(meant, pattern.excludes)}"?' if near else None,
    )


def shortened(names: Iterable[str]) -> str:
    """A list for an error message; a catalog may hold thousands of names."""
    distinct = list(dict.fromkeys(names))
    left_out = len(distinct) - NAMES_SHOWN
    return ", ".join(distinct[:NAMES_SHOWN]) + (f" and {left_out} more" if left_out > 0 else "")
