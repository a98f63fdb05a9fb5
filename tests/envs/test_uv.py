"""uv runs apart from the project and the shell around it, and its reasons come out in one line."""

from pathlib import Path

import pytest

from orchestrator.envs.uv import Uv, UvFailed, complaint, reason
from orchestrator.envs.variables import inherited
from orchestrator.errors import EnvironmentBroken

TRACEBACK = """\
Traceback (most recent call last):
  File "tap.py", line 3, in <module>
    raise KeyError("a")
KeyError: 'a'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "tap.py", line 5, in <module>
    main()
    ~~~~^^
pkg.errors.ConfigError: the config is empty
It needs at least a token
"""


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            "error: No solution found when resolving dependencies\n"
            "  cause: Because tap-x==1 depends on y==1 and you require y>2, we can conclude\n"
            "         that your requirements are unsatisfiable.\n\nhint: try something\n",
            "Because tap-x==1 depends on y==1 and you require y>2, we can conclude "
            "that your requirements are unsatisfiable.",
        ),
        (
            "error: Request failed after 3 retries in 6.7s\n"
            "  cause: Failed to fetch: http://127.0.0.1:9/simple/tap-x/\n"
            "  cause: Connection refused (os error 111)\n",
            "Request failed after 3 retries in 6.7s: Connection refused (os error 111)",
        ),
        (
            "error: Git operation failed\n"
            "  cause: process didn't exit successfully: `git fetch` (exit status: 128)\n"
            "         --- stderr\n"
            "         fatal: couldn't find remote ref refs/tags/v9\n",
            "fatal: couldn't find remote ref refs/tags/v9",
        ),
        (
            "error: The build backend returned an error\n"
            "  cause: Call to `setuptools.build_meta` failed (exit status: 1)\n\n"
            "         [stderr]\n" + "".join(f"         {line}\n" for line in TRACEBACK.splitlines()),
            "pkg.errors.ConfigError: the config is empty",
        ),
        (
            "error: Failed to build `psycopg2==2.7.1`\n"
            "  cause: Call to `setuptools.build_meta` failed (exit status: 1)\n\n"
            "         [stderr]\n         running egg_info\n         Error: pg_config executable not found.\n\n"
            "         Please add the directory.\n",
            "Error: pg_config executable not found.",
        ),
        ("warning: something\nerror: invalid value 'x'\n\nFor more information, try '--help'.\n", "invalid value 'x'"),
        ("", "uv gave no reason"),
    ],
)
def test_the_reason_is_what_matters_in_what_uv_says(said, why):
    assert reason(said) == why


@pytest.mark.parametrize(
    ("output", "why"),
    [
        (TRACEBACK, "pkg.errors.ConfigError: the config is empty"),
        ("starting\nsrc/x.c:1:10: fatal error: Python.h: No such file\nstopped", None),
        ("usage: tap [-h]\ntap: error: the following arguments are required: -c\n", None),
        ("one\ntwo\n", "two"),
        ("", "it gave no reason"),
    ],
)
def test_the_complaint_of_a_program_is_its_exception_its_first_error_or_its_last_line(output, why):
    assert complaint(output) == (why or output.splitlines()[1])


def test_a_project_around_the_workspace_does_not_bend_what_uv_does(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.uv]\nrequired-version = "<0.1"\n')
    (tmp_path / "shop").mkdir()

    assert Uv(tmp_path / "shop").run("--version").startswith("uv ")


def test_what_uv_complains_of_is_kept_whole():
    with pytest.raises(UvFailed) as raised:
        Uv(Path("/")).run("pip", "compile", "-", text="tap gitlab\n")

    assert "tap gitlab" in raised.value.said


def test_children_inherit_what_they_need_and_nothing_that_bends_them():
    kept = {
        "PATH": "/bin",
        "HOME": "/home/x",
        "HTTPS_PROXY": "http://proxy",
        "SSL_CERT_FILE": "/certs",
        "UV_INDEX_URL": "https://example.com",
        "UV_DEFAULT_INDEX": "https://example.com",
        "UV_FIND_LINKS": "/wheels",
        "UV_OFFLINE": "1",
        "UV_CACHE_DIR": "/cache",
        "UV_PYTHON_DOWNLOADS": "automatic",
        "LD_LIBRARY_PATH": "/lib",
        "CFLAGS": "-O2",
        "MYSQLCLIENT_LDFLAGS": "-lmysqlclient",
        "SSH_AUTH_SOCK": "/run/agent",
    }
    bending = (
        "PYTHONPATH PYTHONHOME PYTHONSTARTUP VIRTUAL_ENV CONDA_PREFIX PIP_REQUIRE_VIRTUALENV PIP_TARGET"
        " __PYVENV_LAUNCHER__ UV_PROJECT UV_PYTHON UV_CONSTRAINT UV_OVERRIDE UV_RESOLUTION UV_PRERELEASE"
        " ORCHESTRATOR_IDENTITY TAP_GITLAB_PRIVATE_TOKEN"
        " UV_EXCLUDE_NEWER UV_SYSTEM_PYTHON UV_REQUIRE_HASHES UV_NO_BUILD_ISOLATION UV_WORKING_DIR UV_VENV_RELOCATABLE"
    )

    assert inherited({**kept, **dict.fromkeys(bending.split(), "x")}) == kept


def test_what_is_built_is_shown_no_secret_that_stands_in_a_variable():
    """Whatever its name: no list of those that hold secrets is complete."""
    secrets = "GITLAB_TOKEN AWS_SECRET_ACCESS_KEY DATABASE_URL SHOP_PW CARGO_REGISTRY_TOKEN SENTRY_DSN"

    assert inherited(dict.fromkeys(secrets.split(), "x")) == inherited({})


def test_no_python_is_downloaded_unless_a_person_says_so():
    assert inherited({}) == {"UV_PYTHON_DOWNLOADS": "never"}


def test_uv_is_ended_when_it_takes_longer_than_it_may(tmp_path):
    with pytest.raises(EnvironmentBroken, match="uv did not end within 0 s"):
        Uv(tmp_path, longest=0).run("pip", "list")
