"""Whether a run that failed is tried again, and when."""

import pytest

from orchestrator.cadence.retry import pause
from orchestrator.config import Retries
from orchestrator.errors import (
    AlreadyRunning,
    CredentialsError,
    DestinationError,
    EnvironmentBroken,
    OutOfTime,
    TapFailed,
    UsageError,
)


def test_the_seconds_between_attempts_double_up_to_the_longest_and_end():
    retries = Retries(attempts=6, backoff=30.0, max=200.0)

    assert [pause(retries, failures, 0.0) for failures in range(1, 7)] == [30, 60, 120, 200, 200, None]


def test_flows_that_failed_together_come_back_apart():
    assert [pause(Retries(), 1, chance) for chance in (0.0, 0.5, 1.0)] == [30, 22.5, 15]


@pytest.mark.parametrize(
    ("error", "temporary"),
    [
        (UsageError, False),
        (CredentialsError, False),
        (EnvironmentBroken, False),
        (AlreadyRunning, True),
        (DestinationError, True),
        (OutOfTime, True),
        (TapFailed, True),
    ],
)
def test_an_error_tells_whether_it_may_pass_by_itself(error, temporary):
    assert error("it did not work").is_temporary is temporary
