"""Why a tap failed, and whether its credentials were refused, is told from its last words."""

import pytest

from orchestrator.supervisor.last_words import reason, refused_credentials

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


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ([], None),
        (["INFO begins", "CRITICAL there is no such project", ""], "CRITICAL there is no such project"),
        ([*TRACEBACK, "    raise KeyError", "KeyError: 'id'"], "KeyError: 'id'"),
        # As SQLAlchemy says it, and the beginning of its traceback long gone.
        (
            [
                "    conn = _connect(dsn)",
                "sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection refused",
                "\tIs the server running on that host?",
                "",
                "(Background on this error at: https://sqlalche.me/e/20/e3q8)",
            ],
            "sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection refused",
        ),
        ([*TRACEBACK, "KeyError: 'id'", "INFO goes on", "CRITICAL gives up"], "CRITICAL gives up"),
        (["  a table of", "INFO all streams", "done"], "done"),
    ],
)
def test_the_reason_is_the_exception_or_the_last_line(said, why):
    assert reason(said) == why
