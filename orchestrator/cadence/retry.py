"""Whether a run that failed is tried again, and when."""

from orchestrator.config import Retries


def pause(retries: Retries, failures: int, chance: float) -> float | None:
    """The seconds to wait after so many failures for the same due time; None when it was tried often enough.

    They double with each failure up to `max`, and `chance`, between 0 and 1, takes up to half of them away, so that
    flows that failed together do not come back together:
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    if failures >= retries.attempts:
        return None
    whole = min(retries.max, retries.backoff * 2.0 ** min(failures - 1, 64))
    return whole * (1 - chance / 2)
