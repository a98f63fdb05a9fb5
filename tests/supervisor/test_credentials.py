"""A refusal of the credentials is told from what else a tap says before it fails."""

import pytest

from orchestrator.supervisor.credentials import refused_credentials

TRACEBACK = ["Traceback (most recent call last):", '  File "tap.py", line 1, in main']


@pytest.mark.parametrize(
    "line",
    [
        "requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://gitlab.test/api/v4/user",
        "tap_gitlab.exceptions.GitlabUnauthorizedError: HTTP-error-code: 401, Error: Unauthorized",
        "singer_sdk.exceptions.FatalAPIError: 401 Client Error: Unauthorized for path: /rest",
        "CRITICAL HTTP 401: token expired",
        "status_code=401",
        'psycopg2.OperationalError: FATAL:  password authentication failed for user "ada"',
        "pymysql.err.OperationalError: (1045, \"Access denied for user 'ada'@'localhost' (using password: YES)\")",
        "Exception: {'error': 'invalid_grant', 'error_description': 'expired'}",
        "botocore.exceptions.NoCredentialsError: Unable to locate credentials",
        "botocore.exceptions.ClientError: An error occurred (InvalidAccessKeyId) when calling ListObjectsV2",
        "INVALID_SESSION_ID: Session expired or invalid",
    ],
)
def test_what_libraries_and_databases_say_is_known(line):
    assert refused_credentials([*TRACEBACK, line]) == line
    assert refused_credentials(["INFO begins", line, ""]) == line


@pytest.mark.parametrize(
    "said",
    [
        [],
        ["INFO read 401 rows"],
        [*TRACEBACK, "ValueError: order 401 has no date"],
        ["requests.exceptions.HTTPError: 403 Client Error: Forbidden for url: https://gitlab.test"],
        ["WARNING HTTP 401: renewing the token", *TRACEBACK, "KeyError: 'id'"],
        ["WARNING HTTP 401: renewing the token", "INFO one", "INFO two", "INFO three"],
    ],
)
def test_what_it_got_over_and_other_failures_are_no_refusal(said):
    assert refused_credentials(said) is None
