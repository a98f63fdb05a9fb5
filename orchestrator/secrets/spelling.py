"""Every way in which a secret may stand in a text: as it is, escaped for JSON, a URL, HTML or Python, and in base64.

Escapes are told apart character by character, so that a text which escapes some of them, or some of them twice, is no
other case. Letters and digits are escaped by nobody: the longest run of them is a quick sign that the rest is worth a
look.
"""

import base64
import re
from collections.abc import Iterator
from functools import cached_property
from html import escape

SHORTEST = 4
"""Characters of a secret. What is shorter stands in too many words that are none."""
_RUN = re.compile(r"[A-Za-z0-9]+")
_NAMED = {"\0": "0", "\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r"}
# Of one character, each escaped twice or more; what is longer is no text that somebody writes.
_LONGEST_ESCAPE = 80


class Spelling:
    """One text that is sought, in whatever way its characters are escaped."""

    def __init__(self, text: str, *, base64: bool = False) -> None:
        self._text = text
        self._base64 = base64
        self.sign = max(_RUN.findall(text), key=len, default="")
        """Stands in whatever holds the text; empty where nothing can be told."""
        self.longest = sum(1 if _RUN.match(each) else _LONGEST_ESCAPE for each in text)
        """Characters that it takes at most."""

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where it stands in a text, also where it overlaps itself."""
        return (found.span(1) for found in self._pattern.finditer(text))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        # Made when it is needed: of a long key full of signs it takes a while.
        return re.compile(f"(?=({''.join(_characters(self._text, self._base64))}))")


def spellings(secret: str) -> Iterator[Spelling]:
    """What a secret may look like, also in base64 amid other bytes (`user:secret`), wherever among them it begins."""
    yield Spelling(secret)
    # A log is written line by line, a private key is not. Its first and last line are in every key.
    if "\n" in secret:
        lines = (line.strip() for line in secret.splitlines())
        yield from (Spelling(line) for line in lines if len(line) >= SHORTEST and not line.startswith("-----"))
    content = secret.encode(errors="surrogatepass")
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + content).decode().rstrip("=")
        # The characters at both ends hold bits of the neighbours too.
        core = encoded[-(-before * 8 // 6) : (before + len(content)) * 8 // 6]
        yield Spelling(core, base64=True)


def _characters(text: str, base64: bool) -> Iterator[str]:
    """A pattern for each character. Backslashes go with what follows them: apart they could be told apart in so many
    ways that a text which holds many would never be done with."""
    for slashes, run in re.findall(r"(\\*)([A-Za-z0-9]+|[^\\]|$)", text, re.DOTALL):
        if not run and not slashes:
            continue
        if not run or _RUN.match(run):
            after = run
        elif base64 and run in "+/":
            after = f"(?:{'-' if run == '+' else '_'}|{_escaped(run)})"
        else:
            after = _escaped(run)
        if slashes:
            count = len(slashes)
            escaped = "|".join(_escapes("\\"))
            after = rf"(?>(?:\\{{{count},{8 * count}}}|(?i:{escaped}){{{count}}}){after})"
        yield after


def _escaped(character: str) -> str:
    """A character as it is, perhaps with backslashes in front, or in any of its escapes."""
    # Digits of hexadecimal numbers come in both sizes.
    return rf"(?:\\{{0,8}}{re.escape(character)}|(?i:{'|'.join(_escapes(character))}))"


def _escapes(character: str) -> Iterator[str]:
    point, content = ord(character), character.encode(errors="surrogatepass")
    # Whatever is escaped within a text that is escaped itself has more of them.
    slash = r"\\{1,8}"
    units = character.encode("utf-16-be", errors="surrogatepass").hex()
    yield "".join(rf"%(?:25){{0,3}}{byte:02x}" for byte in content)
    yield "".join(f"{slash}u{units[start : start + 4]}" for start in range(0, len(units), 4))
    yield f"{slash}U{point:08x}"
    yield "".join(f"{slash}x{byte:02x}" for byte in content)
    yield rf"&(?:amp;)?#(?:0*{point}|x0*{point:x});"
    if point < 256:
        yield f"{slash}x{point:02x}"
    if point > 127:
        # As bytes in another encoding are shown by whoever takes them for UTF-8.
        yield "\ufffd"
    if character in _NAMED:
        yield f"{slash}{_NAMED[character]}"
    if character == "\n":
        yield rf"\r\n|{slash}r{slash}n|%(?:25){{0,3}}0d%(?:25){{0,3}}0a"
    if character == " ":
        yield r"\+"
    if (named := escape(character)) != character:
        yield rf"&(?:amp;)?{named[1:]}"
