"""A moment as it is written down: RFC 3339, in UTC, to the millisecond."""

from datetime import UTC, datetime


def rfc3339(moment: datetime | None = None) -> str:
    """A moment, or now."""
    return (moment or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
