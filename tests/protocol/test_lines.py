"""Blocks of bytes become whole lines, whatever their size."""

from itertools import chain, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import BrokenMessage
from orchestrator.protocol.lines import mend, whole_lines
from orchestrator.protocol.messages import State
from orchestrator.protocol.reading import read_messages


@given(st.lists(st.binary(max_size=5)))
def test_lines_are_the_same_however_they_are_cut_into_blocks(blocks):
    whole = b"".join(blocks)

    lines = list(whole_lines(blocks))

    assert b"".join(lines) == (whole if whole.endswith(b"\n") or not whole else whole + b"\n")
    assert all(line.endswith(b"\n") or not line for line in lines)


def test_only_a_line_feed_ends_a_line():
    odd = "a\rb\x0bc\x0cd\x1ce\x85f\u2028g\u2029".encode()

    assert list(whole_lines([odd + b"\nh"])) == [odd + b"\n", b"h\n"]


def test_an_empty_block_is_passed_on_at_once_even_within_a_line():
    assert list(whole_lines([b"ab", b"", b"c\n", b""])) == [b"", b"abc\n", b""]


def test_a_line_without_an_end_is_an_error_before_it_fills_the_memory():
    blocks = chain([b'{"type": "STATE", "value": 1}\n'], repeat(b"x" * 1_000_000, 300))

    messages = read_messages(blocks, lambda batch: [])

    assert next(messages) == State(b"1")
    with pytest.raises(BrokenMessage, match=r"^line 2 is longer than 256 MB: b'xxxx"):
        next(messages)


class Block(bytes):
    """Counts how often blocks are searched, and may not be glued to another one by one."""

    searches = 0

    def rfind(self, *found):
        Block.searches += 1
        return super().rfind(*found)

    def __add__(self, other):
        raise AssertionError("blocks are glued one by one, so that a long line is copied again and again")

    __radd__ = __add__


def test_a_line_of_fifty_megabytes_in_small_blocks_is_looked_at_once_and_copied_once():
    Block.searches = 0
    blocks = [Block(b"x" * 4096)] * 12_800

    (line,) = whole_lines([*blocks, b"\n"])

    assert len(line) == 50 * 1024 * 1024 + 1
    assert Block.searches == len(blocks)


@pytest.mark.parametrize(
    ("said", "mended"),
    [
        (r"[NaN, Infinity, -Infinity]", r'["NaN", "Infinity", "-Infinity"]'),
        (r'["NaN", "a -Infinity b"]', r'["NaN", "a -Infinity b"]'),
        (r'["\ud800", "a\udfffb", "\ud800x"]', r'["\\ud800", "a\\udfffb", "\\ud800x"]'),
        (r'["\ud83d\ude00", "\ude00\ud83d"]', r'["\ud83d\ude00", "\\ude00\\ud83d"]'),
        (r'["\\ud800", "\"\ud800", "\\\ud800"]', r'["\\ud800", "\"\\ud800", "\\\\ud800"]'),
        (r'{"NaN": NaN}', r'{"NaN": "NaN"}'),
    ],
)
def test_what_python_writes_and_json_does_not_know_becomes_text_that_says_it(said, mended):
    assert mend(said.encode()) == mended.encode()
