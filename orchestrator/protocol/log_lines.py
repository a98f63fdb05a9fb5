"""A line of a tap's log, taken apart: how grave it is, and which stream it is about."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from orchestrator.protocol.metrics import metric_in

_LEVELS = {"WARN": "warning", "FATAL": "critical"}
# Taps of singer-python begin with it, those of the Singer SDK have a time before it.
_LEVEL = re.compile(r"\b(DEBUG|INFO|WARN(?:ING)?|ERROR|CRITICAL|FATAL)\b")
_HEAD = 80


@dataclass(frozen=True, slots=True)
class LogLine:
    """`level` and `stream` are None where a line does not tell; the stream is that of a METRIC, or the only one that
    the line names."""

    message: str
    level: str | None = None
    stream: str | None = None


def taken_apart(line: str, streams: Collection[str] = ()) -> LogLine:
    """A line of a tap that has these streams."""
    found = _LEVEL.search(line[:_HEAD])
    level = found and _LEVELS.get(found[1], found[1].lower())
    return LogLine(line, level, _stream(line, streams))


def _stream(line: str, streams: Collection[str]) -> str | None:
    metric = metric_in(line)
    if metric is not None and metric.about:
        return metric.about
    named = [stream for stream in streams if is_about(line, (stream,))]
    return named[0] if len(named) == 1 else None


def is_about(line: str, aliases: Iterable[str]) -> bool:
    """Whether a line names a stream, as in `/projects/42/merge-requests?page=1`."""
    words = (re.sub(r"\\?[-_]", "[-_]", re.escape(alias)) for alias in aliases)
    return any(re.search(rf"(?<![a-z0-9_-]){word}(?![a-z0-9_-])", line, re.IGNORECASE) for word in words)
