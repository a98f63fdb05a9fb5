"""Blocks of bytes cut into lines, and the JSON of a line made readable where the standard would not have it."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from itertools import compress
from operator import itemgetter
from typing import TypeVar

import msgspec

from orchestrator.errors import BrokenMessage
from orchestrator.protocol.refusals import NO_LOGS, Flaw, Refusal

T = TypeVar("T")

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What reading a text raises that is no JSON, no UTF-8, or nested a thousand deep."""
LONGEST_LINE = 256_000_000
"""Bytes. Whoever prints without an end of line would fill the memory of whoever reads it."""
_WHITE = b" \t\r"
"""What JSON takes for white space within a line. Python takes more."""


def whole_lines(blocks: Iterable[bytes], line: Callable[[], str] = lambda: "a line") -> Iterator[bytes]:
    """The same bytes in blocks that end where a line ends. A line ends at LF only, and the last one need not.

    An empty block stays where it is, also within a line. Raises BrokenMessage at one of more than LONGEST_LINE bytes;
    `line` tells what to call it.
    """
    torn: list[bytes] = []
    size = 0
    for block in blocks:
        end = block.rfind(b"\n") + 1
        if end:
            yield b"".join((*torn, memoryview(block)[:end]))
            torn = [block[end:]] if end < len(block) else []
            size = len(block) - end
        elif block:
            torn.append(block)
            size += len(block)
        else:
            yield block
        if size > LONGEST_LINE:
            raise BrokenMessage(
                f"{line()} is longer than {LONGEST_LINE // 1_000_000} MB",
                data="nothing after the last commit was kept",
                hint=NO_LOGS,
                said=torn[0],
            )
    if torn:
        yield b"".join((*torn, b"\n"))


def cut(text: bytes) -> list[bytes]:
    """The lines of a text, each with its LF."""
    # Several times as fast as counting or splitting: it looks for one line feed after the other in large words.
    return BytesIO(text).readlines()


class Block:
    """Whole lines as they came, of which the first has the number `first`. With `step` 0 all have that number: they
    stand in a file that this line names."""

    def __init__(self, text: bytes, first: int, step: int = 1) -> None:
        self.text = text
        self._first = first
        self._step = step

    def number(self, place: int) -> int:
        return self._first + place * self._step

    @cached_property
    def lines(self) -> list[bytes]:
        """Each line without its LF. They are cut apart only when one is asked for."""
        return self.text.split(b"\n")

    def is_braced(self, place: int) -> bool:
        """Whether a line begins and ends as an object does."""
        line = self.lines[place].strip(_WHITE)
        return line[:1] == b"{" and line[-1:] == b"}"

    def refusal(self, place: int, stream: str | None, flaw: Flaw) -> Refusal:
        return Refusal(self.number(place), stream, self.lines[place], flaw)


@dataclass(frozen=True, slots=True)
class Lines:
    """Those lines of a block that stand at `places`."""

    block: Block
    places: Sequence[int]

    @property
    def numbers(self) -> list[int]:
        return list(map(self.block.number, self.places))

    @property
    def texts(self) -> list[bytes]:
        return [self.block.lines[place] for place in self.places]

    def kept(self, keep: Sequence[bool]) -> "Lines":
        return Lines(self.block, list(compress(self.places, keep)))


def is_blank(line: bytes) -> bool:
    return not line.strip(_WHITE)


def is_text(lines: bytes) -> bool:
    """Whether the bytes are UTF-8."""
    try:
        str(lines, "utf-8")
    except UnicodeDecodeError:
        return False
    return True


_BEGINS, _LAST, _LAST_OF_CRLF = map(itemgetter, (0, -2, -3))


def one_in_each(lines: Sequence[bytes]) -> bool:
    """Whether as many objects as there are `lines`, which a decoder found between white space, are one in each line."""
    # Within an object none ends right before another begins, so that a line that begins and ends like one is one.
    try:
        if set(map(_BEGINS, lines)) != _OPEN:
            return False
        ends = set(map(_LAST, lines))
        return ends == _CLOSED or (ends == _RETURNED and set(map(_LAST_OF_CRLF, lines)) == _CLOSED)
    except IndexError:
        return False


_OPEN, _CLOSED, _RETURNED = map(set, (b"{", b"}", b"\r"))


def decoded_lines(decoder: "msgspec.json.Decoder[T]", lines: bytes) -> tuple[list[T], int]:
    """The values in `lines`, or none of them unless `decoder` takes every one; and how many lines it took before one
    that it does not take, 0 where that cannot be told."""
    try:
        return decoder.decode_lines(lines), 0
    except UNREADABLE as error:
        return [], _lines_before(error, lines)


_VALUE = re.compile(r"`\$\[(\d+)\]")
_BYTE = re.compile(r"\(byte (\d+)\)$")


def _lines_before(error: Exception, lines: bytes) -> int:
    """How many lines were read before the error, as its own words tell."""
    if found := _VALUE.search(str(error)):
        return int(found[1])
    found = _BYTE.search(str(error))
    # A line that breaks off may be missed only in the next one.
    return max(0, lines.count(b"\n", 0, int(found[1])) - 1) if found else 0


def read_json(decoder: "msgspec.json.Decoder[T]", text: bytes) -> T:
    """What `decoder` makes of a text, mended where it must be. Raises one of UNREADABLE."""
    try:
        return decoder.decode(text)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        mended = mend(text)
        if mended == text:
            raise
        return decoder.decode(mended)


def as_written(name: str, text: bytes) -> bytes:
    """The value of a member, before it was mended, of an object that is readable since."""
    depth, said, value = 0, b"", b""
    begins: int | None = None
    for token in _STRING_OR_MARK.finditer(text):
        mark = token[0]
        if depth == 1 and begins is None and mark == b":" and json.loads(said, strict=False) == name:
            begins = token.end()
        said = mark
        depth += (mark in (b"{", b"[")) - (mark in (b"}", b"]"))
        if begins is not None and (depth == 0 or (depth == 1 and mark == b",")):
            # Of members of the same name the last one counts.
            value, begins = text[begins : token.start()].strip(), None
    return value


_STRING_OR_MARK = re.compile(rb'"(?:[^"\\]|\\.)*"|[][{}:,]', re.DOTALL)
_STRING_OR_CONSTANT = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b', re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:u([dD][89abAB]..)\\u([dD][c-fC-F]..)|u([dD][89a-fA-F]..)|.)", re.DOTALL)


def mend(text: bytes) -> bytes:
    """JSON that Python writes and the standard does not know, as JSON that keeps it.

    NaN, Infinity and -Infinity become strings of that name (a number column reads them back as numbers); half of
    a surrogate pair stands for no character and stays as the six characters of its escape, `\\ud800`.
    """
    return _STRING_OR_CONSTANT.sub(
        lambda found: _ESCAPE.sub(_mend_escape, found[0]) if found[0][:1] == b'"' else b'"' + found[0] + b'"', text
    )


def _mend_escape(escape: re.Match[bytes]) -> bytes:
    return b"\\" + escape[0] if escape[3] else escape[0]
