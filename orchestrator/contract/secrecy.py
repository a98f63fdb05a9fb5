"""What becomes of the secrets that a tap is told."""

from orchestrator.contract.evidence import Evidence
from orchestrator.contract.point import NotTried, point, shortened

MASK = "***"
BEFORE = 40
"""Letters of a line that are shown in front of the secret in it."""


def _around(leak: str) -> str:
    """The place in a line where a secret stood."""
    begin = max(0, leak.find(MASK) - BEFORE)
    return ("…" if begin else "") + shortened(leak[begin:].strip(), 3 * BEFORE)


def _needs_secrets(evidence: Evidence) -> None:
    if evidence.refused is None:
        raise NotTried("it is told no secret")


@point(
    "secrets.log",
    "writes no secret on stderr",
    means="logs go to places that a secret must not",
    mend="log paths without their query, and no config, header or URL with a password",
)
def log(evidence: Evidence) -> str | None:
    _needs_secrets(evidence)
    leaks = [leak for sync in evidence.syncs for leak in sync.log_leaks]
    return f"it wrote {_around(leaks[0])!r}" if leaks else None


@point(
    "secrets.messages",
    "sends no secret",
    means="what it sends lands where others read",
    mend="leave out what the source echoes of the request",
)
def messages(evidence: Evidence) -> str | None:
    _needs_secrets(evidence)
    leaks = [leak for sync in evidence.syncs for leak in sync.leaks]
    return f"it sent {_around(leaks[0])!r}" if leaks else None


@point(
    "secrets.refused",
    "ends with an error when its secrets are wrong",
    means="a token that was withdrawn looks like a source in which nothing is new",
    mend="let 401 and 403 end the run with an exit code other than 0",
)
def refused(evidence: Evidence) -> str | None:
    _needs_secrets(evidence)
    assert evidence.refused is not None
    return None if evidence.refused.exit_code else "with wrong ones it ended with exit code 0"
