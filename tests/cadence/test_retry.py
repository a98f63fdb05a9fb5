"""Whether a run that failed is tried again, and when."""

import pytest

from orchestrator.cadence.retry import FINAL, pause
from orchestrator.config import Retries
from orchestrator.errors import CredentialsError, DestinationError, EnvironmentBroken, TapFailed, UsageError


def test_the_seconds_between_attempts_double_up_to_the_longest_and_end():
    retries = Retries(attempts=6, backoff=30.0, max=200.0)

    assert [pause(retries, failures, 0.0) for failures in range(1, 7)] == [30, 60, 120, 200, 200, None]


def test_flows_that_failed_together_come_back_apart():
    assert [pause(Retries(), 1, chance) for chance in (0.0, 0.5, 1.0)] == [30, 22.5, 15]


@pytest.mark.parametrize(
    ("error", "final"),
    [
        (UsageError, True),
        (CredentialsError, True),
        (EnvironmentBroken, True),
        (DestinationError, False),
        (TapFailed, False),
    ],
)
def test_what_trying_again_does_not_mend_is_final(error, final):
    assert (error.exit_code in FINAL) is final
