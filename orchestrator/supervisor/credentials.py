"""How it shows in the last words of a tap that its source refused its credentials."""

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


def refused_credentials(said: Iterable[str]) -> str | None:
    """The line that tells of it, among the last ones that a tap said before it failed; None where none does.

    What it said before its last traceback may be about something that it got over.
    """
    lines = [line.strip() for line in said if line.strip()]
    began = [place for place, line in enumerate(lines) if line.endswith("Traceback (most recent call last):")]
    words = lines[began[-1] :] if began else lines[-_LAST:]
    # The line that sums it up comes last.
    return next((line for line in reversed(words) if _REFUSED.search(line)), None)
