"""Asks the index over HTTP. Answers are remembered with their ETag, and serve again while it cannot be reached."""

import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import msgspec

from orchestrator import durable
from orchestrator.clock import rfc3339
from orchestrator.config import closest
from orchestrator.errors import HubUnavailable, UnknownName
from orchestrator.events import Listener, Note, nobody
from orchestrator.hub.entries import Entry, Listed, NotOfTheHub, read_entry, read_index
from orchestrator.paths import home

_API = "/meltano/api/v1/plugins/extractors"
_PATIENCE = 15.0
_LONGEST_ANSWER = 20_000_000
"""Seconds, and bytes; the list of all taps has 0.2 MB."""

Answer = TypeVar("Answer")


class Index:
    """The index at `url`. What it answers is remembered below `cache`, by default that of the user."""

    def __init__(self, url: str, *, cache: Path | None = None, listen: Listener = nobody) -> None:
        self.url = url.rstrip("/")
        self._cache = cache or _user_cache()
        self._listen = listen

    def taps(self) -> tuple[Listed, ...]:
        """All taps. Raises HubUnavailable."""
        found = self._ask("index", read_index)
        if found is None:
            raise HubUnavailable(
                f"there is no index of taps at {self.url}", cause=f"{self.url}{_API}/index is not there", hint=_HINT
            )
        return found

    def find(self, name: str) -> Listed:
        """The tap of this very name. Raises UnknownName, with the name that may have been meant, and HubUnavailable."""
        known = {tap.name: tap for tap in self.taps()}
        if name in known:
            return known[name]
        near = f"tap-{name}" if f"tap-{name}" in known else closest(name, known)
        raise UnknownName(
            f'the hub knows no tap "{name}"',
            data="nothing was changed",
            hint=f'did you mean "{near}"?' if near else f"orchestrator taps search {name.removeprefix('tap-')}",
        )

    def entry(self, name: str, variant: str | None = None) -> Entry:
        """One variant of a tap, or the one that the index recommends. Raises UnknownName, HubUnavailable."""
        tap = self.find(name)
        chosen = variant or tap.variants[0]
        found = self._ask(f"{quote(name)}--{quote(chosen)}", read_entry) if chosen in tap.variants else None
        if found is None:
            near = closest(chosen, tap.variants)
            raise UnknownName(
                f'the hub knows no variant "{chosen}" of {name}',
                cause=f"there are {', '.join(tap.variants)}",
                data="nothing was changed",
                hint=f'did you mean "{near}"?' if near else f"orchestrator taps search {name}",
            )
        return found

    def _ask(self, what: str, read: Callable[[bytes], Answer]) -> Answer | None:
        """The answer of the index, read; None where it has none. Raises HubUnavailable."""
        url = f"{self.url}{_API}/{what}"
        path = self._cache / hashlib.sha256(url.encode()).hexdigest()
        kept = _kept(path)
        try:
            fetched = _fetch(url, kept)
        except (OSError, ValueError) as error:
            if kept is None:
                raise _unavailable(self.url, error) from error
            self._listen(Note(f"{self.url} cannot be reached; this is what it said on {kept.at[:10]}"))
            return read(kept.answer)
        if fetched is None:
            return None
        try:
            answer = read(fetched.answer)
        except NotOfTheHub as error:
            raise HubUnavailable(
                f"{url} does not answer as an index of taps does", cause=str(error), hint=_HINT
            ) from error
        # Only what could be read is worth keeping.
        durable.write(path, msgspec.json.encode(fetched))
        return answer


class _Kept(msgspec.Struct):
    """An answer of the index: when it came, in RFC 3339, and what tells whether there is another one by now."""

    at: str
    etag: str | None
    answer: bytes


_HINT = "a package can be added without the hub: orchestrator add-tap PACKAGE"


def _fetch(url: str, kept: _Kept | None) -> _Kept | None:
    """The answer at a URL, or the one that is kept where it still holds; None where there is none."""
    headers = {"Accept": "application/json", "User-Agent": "singer-orchestrator"}
    if kept and kept.etag:
        headers["If-None-Match"] = kept.etag
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_PATIENCE) as response:
            answer = response.read(_LONGEST_ANSWER + 1)
            if len(answer) > _LONGEST_ANSWER:
                raise ValueError(f"it answers with more than {_LONGEST_ANSWER // 1_000_000} MB")
            return _Kept(rfc3339(), response.headers.get("ETag"), answer)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 304:
                return kept
            if error.code == 404:
                return None
            raise


def _unavailable(url: str, error: Exception) -> HubUnavailable:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return HubUnavailable(
        f"{url} cannot be asked about taps", cause=str(reason), data="nothing was changed", hint=_HINT
    )


def _kept(path: Path) -> _Kept | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Kept)
    except (OSError, msgspec.DecodeError):
        return None


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or home() / ".cache") / "orchestrator" / "hub"
