"""Records a tap: what it offers and what it says from its beginning, as a tap that says the same without the source."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orchestrator.actions.listening import Limits, hear
from orchestrator.actions.starting import Prepared, prepare, with_catalog
from orchestrator.cassettes import Label, write_cassette
from orchestrator.catalogs import kept_catalog, marked
from orchestrator.clock import rfc3339
from orchestrator.config import Config
from orchestrator.errors import SilentTap, TapFailed
from orchestrator.events import Listener, Note, nobody
from orchestrator.paths import Paths
from orchestrator.secrets import Redaction


@dataclass(frozen=True, slots=True)
class TapRecorded:
    """A cassette. `masked` counts the messages in which a secret stood."""

    folder: Path
    label: Label
    masked: int


def record_tap(
    paths: Paths, config: Config, tap: str, limits: Limits, *, to: Path | None = None, listen: Listener = nobody
) -> TapRecorded:
    """Hears the tap from its beginning, with its own selection, and keeps what it said in `to` (default:
    cassettes/TAP). No secret of its config is kept; what the source holds is.

    Raises NotInstalled, ConfigError, CredentialsError; TapFailed and SilentTap when there is nothing to keep,
    UsageError when the folder holds something else.
    """
    prepared = with_catalog(paths, prepare(paths, config.tap(tap), listen), listen)
    heard = hear(paths, prepared, limits)
    if heard.exit_code and not heard.cut:
        said = [line for line in heard.log.splitlines() if line.strip()]
        raise TapFailed(
            f"{prepared.name} ended with exit code {heard.exit_code}",
            cause=prepared.redaction.redact(said[-1]) if said else None,
            data="nothing was recorded",
            hint=f"orchestrator check {tap}",
        )
    if not heard.lines:
        raise SilentTap(
            f"{prepared.name} said nothing", data="nothing was recorded", hint=f"orchestrator select {tap} --list"
        )
    kept = [_cleaned(line, prepared.redaction) for line in heard.lines]
    messages = [_message(line) for line in kept]
    if any(message.get("type") == "BATCH" for message in messages):
        listen(Note("the files that BATCH messages name are not kept: only the tap that wrote them can replay these"))
    folder = to or paths.cassette(tap)
    label = Label(
        tap=tap,
        package=prepared.receipt.package,
        version=prepared.receipt.version,
        recorded_at=rfc3339(),
        config=prepared.redaction.clean(prepared.own.told),
        records=dict(Counter(str(each.get("stream")) for each in messages if each.get("type") == "RECORD")),
        messages=len(kept),
        cut=heard.cut,
    )
    announced = {str(message.get("stream")) for message in messages if message.get("type") == "SCHEMA"}
    write_cassette(folder, label, _catalog(paths, prepared, announced), kept)
    masked = sum(before != after for before, after in zip(heard.lines, kept, strict=True))
    return TapRecorded(folder, label, masked)


def _cleaned(line: bytes, redaction: Redaction) -> bytes:
    """A message without secrets. Where none stands in it, it stays byte for byte."""
    text = line.decode(errors="replace")
    if redaction.redact(text) == text:
        return line
    message = _message(line)
    if not message:
        return redaction.redact(text).encode()
    cleaned = {name: value if name in _NO_ROWS else redaction.clean(value) for name, value in message.items()}
    return json.dumps(cleaned).encode()


_NO_ROWS = ("type", "stream", "schema", "key_properties", "bookmark_properties")
"""What a message has to say as it was said, and where nothing of the source stands."""


def _message(line: bytes) -> Mapping[str, Any]:
    """A message; empty for a line that is none."""
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def _catalog(paths: Paths, prepared: Prepared, announced: set[str]) -> bytes | None:
    """What the tap offers, with those streams selected that were announced: of them there is something to say."""
    catalog = kept_catalog(paths, prepared.tap.id)
    if catalog is None or not prepared.choices:
        return None
    return marked(
        catalog, [replace(choice, selected=bool(choice.stream.aliases & announced)) for choice in prepared.choices]
    )
