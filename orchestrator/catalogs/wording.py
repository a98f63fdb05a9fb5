"""The patterns that say a selection: what `choose` makes choices of, the other way round."""

from collections.abc import Iterable, Iterator

from orchestrator.catalogs.dialects import Names
from orchestrator.catalogs.selection import Choice


def patterns_of(choices: Iterable[Choice]) -> tuple[str, ...]:
    """Each selected stream by name, and where its properties are other than the tap takes by default."""
    selected = [choice for choice in choices if choice.selected]
    return tuple(pattern for choice in selected for pattern in (choice.stream.id, *_exceptions(choice)))


def _exceptions(choice: Choice) -> Iterator[str]:
    left_out: set[Names] = set()
    for property in choice.stream.properties:
        names = property.names
        wanted = names in choice.properties and names[:-1] not in left_out
        can_choose = choice.settled_by(property) is None and names[:-1] not in left_out
        if can_choose and wanted != (property.offer.taken_by_default is not False):
            yield f"{'' if wanted else '!'}{choice.stream.id}.{property}"
        if not wanted:
            left_out.add(names)
