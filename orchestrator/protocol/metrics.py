"""METRIC lines of a tap's log, as singer-python and the Singer SDK write them.

    INFO METRIC: {"type": "counter", "metric": "record_count", "value": 3, "tags": {"endpoint": "issues"}}

https://github.com/singer-io/getting-started/blob/master/docs/BEST_PRACTICES.md#metric-messages
"""

from typing import Any

import msgspec

_MARK = "METRIC: "
SECONDS = "_seconds"
"""What the names of timers end with."""


class Metric(msgspec.Struct, frozen=True):
    """One of them; `type` is counter or timer, whose value is in seconds."""

    type: str
    metric: str
    value: float
    tags: dict[str, Any] = {}

    @property
    def about(self) -> str | None:
        """The endpoint or the stream that it is about."""
        said = self.tags.get("endpoint") or self.tags.get("stream")
        return None if said is None else str(said)

    @property
    def name(self) -> str:
        """What it is added up under: `record_count:issues`, `http_request_duration_seconds`."""
        name = f"{self.metric}{SECONDS}" if self.type == "timer" else self.metric
        return f"{name}:{self.about}" if self.about else name


def metric_in(line: str) -> Metric | None:
    """That of a line, if it is such a line."""
    _, mark, text = line.partition(_MARK)
    if not mark:
        return None
    try:
        return msgspec.json.decode(text, type=Metric)
    except msgspec.DecodeError:
        return None
