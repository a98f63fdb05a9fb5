"""What a disk may hold after the power failed, of all that a program had asked it to write until then.

The model is that of ALICE (Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014) and of CrashMonkey
(Mohan et al., "Finding Crash-Consistency Bugs with Bounded Black-Box Crash Testing", OSDI 2018): what was synced holds;
of what was not, anything may.

| not synced yet | may be |
|---|---|
| what was written into a file | there, missing, or torn: some of its sectors are there |
| the size of a file | the old one, the new one, or that of what is there; between stand zeros |
| names | see below |

A rename is one step. That writes reach the disk in another order than they were made is the same as that earlier ones
are missing. Two kinds of file systems keep names:

- `JOURNAL`: in the order in which they were made (ext4, xfs);
- `LOOSE`: each by itself, and only the sync of its folder makes it last, not that of a file. This is what POSIX says.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from tests.disks.recording import Folder, Named, Node, Operation, Recording, Resized, Synced, Told, Written

SECTORS = (512, 4096)


class Names(StrEnum):
    JOURNAL = "journal"
    LOOSE = "loose"


class Unsynced(StrEnum):
    """What becomes of what was not synced."""

    GONE = "gone"
    THERE = "there"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Crash:
    """The power fails before operation number `moment`; `seed` decides what may be one way or another."""

    moment: int
    names: Names
    unsynced: Unsynced
    seed: int = 0

    def told(self, recording: Recording) -> int:
        """The last commit that the program had told of; 0 before the first."""
        told = [each.commit for each in recording.operations[: self.moment] if isinstance(each, Told)]
        return max(told, default=0)

    def folder(self, recording: Recording) -> Folder:
        """What is left on the disk."""
        operations = recording.operations[: self.moment]
        chance = random.Random(str(self))
        synced = _synced(operations)
        return Folder(
            self._nodes(recording.before, operations, synced, chance),
            self._names(recording.before, operations, synced, chance),
        )

    def _nodes(
        self, before: Folder, operations: Sequence[Operation], synced: dict[int, int], chance: random.Random
    ) -> dict[int, Node]:
        contents: dict[int, bytearray] = {}
        for number, operation in enumerate(operations):
            if not isinstance(operation, Written | Resized):
                continue
            content = contents.setdefault(operation.node, bytearray(before.nodes[operation.node].content))
            lasts = number < synced.get(operation.node, 0) or self.unsynced is Unsynced.THERE
            if lasts:
                _apply(operation, content)
            elif self.unsynced is Unsynced.ANY:
                _apply_some(operation, content, chance)
        changed = {number: Node(before.nodes[number].mode, bytes(content)) for number, content in contents.items()}
        return before.nodes | changed

    def _names(
        self, before: Folder, operations: Sequence[Operation], synced: dict[int, int], chance: random.Random
    ) -> dict[int, dict[str, int]]:
        named = [(number, each) for number, each in enumerate(operations) if isinstance(each, Named)]
        last = [number < synced.get(each.node, 0) for number, each in named]
        if self.names is Names.JOURNAL:
            # What was made before what lasts lasts, too.
            first_unsynced = len(last) - last[::-1].index(True) if True in last else 0
            cut = {
                Unsynced.GONE: first_unsynced,
                Unsynced.THERE: len(last),
                Unsynced.ANY: chance.randint(first_unsynced, len(last)),
            }[self.unsynced]
            last = [place < cut for place in range(len(last))]
        else:
            kept = {Unsynced.GONE: 0.0, Unsynced.THERE: 1.0, Unsynced.ANY: 0.5}[self.unsynced]
            last = [lasts or chance.random() < kept for lasts in last]
        names = {folder: dict(inner) for folder, inner in before.names.items()}
        for lasts, (_, operation) in zip(last, named, strict=True):
            for folder, name, node in operation.changes if lasts else ():
                names[folder].pop(name, None)
                if node is not None:
                    names[folder][name] = node
        return names


def _synced(operations: Sequence[Operation]) -> dict[int, int]:
    """For each node: what was done to it before this operation is on the disk."""
    synced: dict[int, int] = {}
    for operation in operations:
        if isinstance(operation, Synced):
            synced[operation.node] = max(synced.get(operation.node, 0), operation.began)
    return synced


def _apply(operation: Written | Resized, content: bytearray) -> None:
    if isinstance(operation, Resized):
        del content[operation.size :]
        content.extend(bytes(operation.size - len(content)))
    else:
        content.extend(bytes(max(0, operation.offset - len(content))))
        content[operation.offset : operation.offset + len(operation.data)] = operation.data


def _apply_some(operation: Written | Resized, content: bytearray, chance: random.Random) -> None:
    """Some way in which an operation that was not synced may be on the disk."""
    if isinstance(operation, Resized):
        if chance.random() < 0.5:
            _apply(operation, content)
        return
    size, begin = chance.choice(SECTORS), chance.random()
    match chance.choice(("gone", "there", "long", "begun", "torn")):
        case "there":
            _apply(operation, content)
        case "long":
            _apply(Resized(operation.node, max(len(content), operation.offset + len(operation.data))), content)
        case "begun":
            sectors = _sectors(operation, size)
            for sector in sectors[: int(len(sectors) * begin)]:
                _apply(sector, content)
        case "torn":
            for sector in _sectors(operation, size):
                if chance.random() < 0.5:
                    _apply(sector, content)


def _sectors(written: Written, size: int) -> list[Written]:
    """The same, cut at the borders of sectors."""
    end = written.offset + len(written.data)
    borders = [written.offset, *range(written.offset - written.offset % size + size, end, size), end]
    return [
        Written(written.node, start, written.data[start - written.offset : stop - written.offset])
        for start, stop in pairwise(borders)
    ]
