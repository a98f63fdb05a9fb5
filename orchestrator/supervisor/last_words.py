"""What the last words of a tap on stderr tell: why it failed, and whether its source refused its credentials."""

import re
from collections.abc import Iterable

_REFUSED = re.compile(
    "|".join(
        (
            # HTTP, as requests, the Singer SDK and the taps of Stitch write it.
            r"\b(?:HTTP[\w./-]*|status|code|response)(?:[ _-]code| of| is| was)?\W{1,4}401\b",
            r"(?<!\d)401(?: Client Error|:? Unauthorized\b)",
            r"\bBad credentials\b",
            # OAuth: RFC 6749, 5.2, and RFC 6750, 3.1. They come with a 400, too.
            r"\b(?:invalid_grant|invalid_client|unauthorized_client|invalid_token)\b",
            # PostgreSQL, MySQL, SQL Server, Oracle, MongoDB.
            r"password authentication failed for user|no password supplied|Access denied for user|Login failed for user"
            r"|\bORA-01017\b|\bAuthentication failed\b",
            # AWS, and Salesforce.
            r"\b(?:InvalidAccessKeyId|SignatureDoesNotMatch|InvalidClientTokenId|UnrecognizedClientException"
            r"|ExpiredToken(?:Exception)?|INVALID_LOGIN|INVALID_SESSION_ID)\b|Unable to locate credentials",
        )
    )
)
_LAST = 3
"""Lines that count where there is no traceback."""


_TRACEBACK = "Traceback (most recent call last):"
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:: |$)")
_LOGGED = re.compile(r"\b(?:DEBUG|INFO|WARN(?:ING)?|ERROR|CRITICAL|FATAL)\b|\blevel=")


def reason(said: Iterable[str]) -> str | None:
    """The line that says why it failed: that of its exception, whose message may go on below it, or the last one."""
    lines = [line for line in said if line.strip()]
    # Of a long traceback the beginning is not at hand: its frames are indented, its exception is not.
    ends = [place for place in range(1, len(lines)) if lines[place - 1][:1] in " \t" and lines[place][:1] not in " \t"]
    for place in reversed(ends):
        if _EXCEPTION.match(lines[place]) and not any(map(_LOGGED.search, lines[place + 1 :])):
            return lines[place].strip()
    return lines[-1].strip() if lines else None


def refused_credentials(said: Iterable[str]) -> str | None:
    """The line that tells of it, among the last ones that a tap said before it failed; None where none does.

    What it said before its last traceback may be about something that it got over.
    """
    lines = [line.strip() for line in said if line.strip()]
    began = [place for place, line in enumerate(lines) if line.endswith(_TRACEBACK)]
    words = lines[began[-1] :] if began else lines[-_LAST:]
    # The line that sums it up comes last.
    return next((line for line in reversed(words) if _REFUSED.search(line)), None)
