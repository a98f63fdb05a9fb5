"""Text of others as a terminal may show it: what would steer the terminal, or turn the line around, is written out."""

import re

_COLOURS = re.compile(r"\x1b\[[0-9;:]*m")
"""Many a tap colours its log. Nothing is lost with that."""
_STEERING = re.compile(
    "["
    # Controls but the end of a line and the tab: https://www.unicode.org/charts/PDF/U0000.pdf and U0080.pdf
    "\x00-\x08\x0b-\x1f\x7f-\x9f"
    # What changes the direction of text, hides in it or ends a line: https://www.unicode.org/reports/tr9/, tr36/
    "\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
    # Halves of a character, which no terminal is sent.
    "\ud800-\udfff"
    "]"
)


def plain(text: str) -> str:
    """The same in letters, lines and tabs alone."""
    if not _STEERING.search(text):
        return text
    return _STEERING.sub(lambda found: repr(found[0])[1:-1], _COLOURS.sub("", text))


def plain_json(text: str) -> str:
    """The same JSON, in which such letters are escaped."""
    return _STEERING.sub(lambda found: _escaped(ord(found[0])), text)


def _escaped(letter: int) -> str:
    if letter < 0x10000:
        return f"\\u{letter:04x}"
    high, low = divmod(letter - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
