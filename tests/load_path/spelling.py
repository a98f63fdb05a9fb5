"""Messages written down: the same ones in any spacing, order of members, and cut into blocks of any size."""

import gzip
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, cycle, groupby
from pathlib import Path
from typing import Any


class Number(str):
    """A number as it is spelled."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a tap writes, and how what it writes arrives."""

    spaced: bool = True
    ascii: bool = True
    shuffled: random.Random | None = None
    """Puts the members of every object, SCHEMAs among them, in an order of its own."""
    line_end: bytes = b"\n"
    ends: bool = True
    """Whether the last line has an end."""
    batched: bool = False
    """Whether RECORDs that stand together come in the files of a BATCH."""
    sizes: tuple[int, ...] = (1 << 20,)
    """Of the blocks, in bytes."""

    def write(self, messages: Iterable[dict[str, Any]], folder: Path) -> bytes:
        """The messages as text; the files of a BATCH go to `folder`."""
        if self.batched:
            messages = _with_batches(messages, folder, self)
        text = b"".join(self.json(message).encode() + self.line_end for message in messages)
        return text if self.ends else text.removesuffix(self.line_end)

    def blocks(self, text: bytes) -> Iterator[bytes]:
        start, sizes = 0, cycle(self.sizes)
        while start < len(text):
            yield text[start : (start := start + next(sizes))]

    def json(self, value: Any) -> str:
        comma, colon = (", ", ": ") if self.spaced else (",", ":")
        if isinstance(value, Number):
            return value
        if isinstance(value, dict):
            members = list(value.items())
            if self.shuffled is not None:
                self.shuffled.shuffle(members)
            return "{" + comma.join(f"{self._text(name)}{colon}{self.json(each)}" for name, each in members) + "}"
        if isinstance(value, list):
            return "[" + comma.join(map(self.json, value)) + "]"
        return self._text(value)

    def _text(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=self.ascii)


def _with_batches(messages: Iterable[dict[str, Any]], folder: Path, manner: Manner) -> Iterator[dict[str, Any]]:
    """RECORDs of one stream that follow each other and bear no version, in files."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = count(len(list(folder.iterdir())))

    def together(message: dict[str, Any]) -> str | None:
        return message["stream"] if message["type"] == "RECORD" and "version" not in message else None

    for stream, run in groupby(messages, together):
        if stream is None:
            yield from run
        else:
            yield _batch(stream, [message["record"] for message in run], folder / f"{next(numbers)}.jsonl", manner)


def _batch(stream: str, records: Sequence[Any], path: Path, manner: Manner) -> dict[str, Any]:
    """One file for the first record, and one, compressed, for the rest of them; BATCH allows one way for all."""
    compressed = len(records) % 2 == 0
    paths = []
    for part, some in enumerate((records[:1], records[1:])):
        text = "".join(manner.json(record) + "\n" for record in some).encode()
        paths.append(path.with_suffix(f".{part}.jsonl" + (".gz" if compressed else "")))
        paths[-1].write_bytes(gzip.compress(text) if compressed else text)
    return {
        "type": "BATCH",
        "stream": stream,
        "encoding": {"format": "jsonl", "compression": "gzip" if compressed else "none"},
        "manifest": [f"file://{each}" for each in paths],
    }
