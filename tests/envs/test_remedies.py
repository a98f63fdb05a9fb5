"""What is tried of a failure, and in which order; what is known of particular packages, row by row."""

import datetime
import shlex
from dataclasses import replace
from shlex import join

import pytest

from orchestrator.envs import known
from orchestrator.envs.failure import Failure, Stage
from orchestrator.envs.interpreter import Interpreter
from orchestrator.envs.recipe import Recipe, options_of
from orchestrator.envs.remedies import Around, Remedy, remedies

PYTHONS = tuple(Interpreter(f"/{version}", version) for version in ("3.13.1", "3.12.1", "3.11.1", "3.10.1", "3.9.1"))
NEWEST = {"urllib3": "2.5.0", "psycopg2": "2.9.10", "orjson": "3.11"}
READY_MADE = [("orjson", "3.6.1", "3.9")]
AROUND = Around(
    PYTHONS,
    datetime.date(2019, 12, 31),
    NEWEST.get,
    lambda name, version, on: (name, version, on.minor) in READY_MADE,
)
INSTALLED = {
    "tap-x": "1.0",
    "requests": "2.20.0",
    "urllib3": "1.24.3",
    "google-cloud-core": "1.0",
    "google-auth": "1.0",
}
MODULES = {
    "tap_x": ("tap-x",),
    "requests": ("requests",),
    "urllib3": ("urllib3",),
    "google": ("google-auth", "google-cloud-core"),
}


def failing(cause: str, *, stage: Stage = Stage.START, said: str | None = None, python: int = 11) -> Failure:
    on = next(each for each in PYTHONS if each.age == (3, python))
    versions, modules = (INSTALLED, MODULES) if stage is Stage.START else ({}, {})
    return Failure(stage, "tap-x fails", cause, said or cause, on, "tap-x", versions, modules, ">=3.9")


def tried(failure: Failure, recipe: Recipe | None = None) -> list[str]:
    recipe = recipe or Recipe("tap-x")
    return [join(options_of(each.to(recipe), beyond=recipe)) for each in remedies(failure, recipe, AROUND)]


def passing(*modules: str) -> str:
    frames = "".join(f'  File "/e/lib/python3.11/site-packages/{each}/x.py", line 1\n    x\n' for each in modules)
    return f"Traceback (most recent call last):\n{frames}TypeError: no\n"


# ── the order ────────────────────────────────────────────────────────────────────────────────────


def test_what_is_beside_it_goes_before_pythons_these_before_a_date_and_that_before_other_versions():
    failure = failing(
        "ImportError: cannot import name 'x' from 'urllib3'", said=passing("tap_x", "requests", "urllib3")
    )

    assert tried(failure) == [
        "--with 'urllib3<1'",
        *("--python 3.10", "--python 3.9", "--python 3.12", "--python 3.13"),
        "--exclude-newer 2020-01-01",
        *("--override 'urllib3>1.24.3,<2'", "--override 'urllib3>1.24.3'"),
        *("--override 'urllib3<1'", "--override 'requests<2'", "--override 'requests<1'"),
    ]


def test_what_the_exception_only_passed_is_changed_last():
    failure = failing("TypeError: no", said=passing("tap_x", "requests", "urllib3"))

    assert tried(failure)[:5] == [
        *("--python 3.10", "--python 3.9", "--python 3.12", "--python 3.13"),
        "--exclude-newer 2020-01-01",
    ]
    assert tried(failure)[5] == "--override 'urllib3>1.24.3,<2'"


def test_a_package_that_cannot_be_built_gives_way_in_the_same_order():
    failure = failing("error: no", stage=Stage.BUILD, said="error: Failed to build `orjson==3.6.1`\n Cython says no")

    assert tried(failure) == [
        "--with 'orjson<3.6.1'",
        # The nearest Python, and the one on which nothing has to be built.
        *("--python 3.10", "--python 3.9"),
        "--exclude-newer 2020-01-01",
        *("--override 'orjson>3.6.1'", "--override 'orjson<3.6.1'"),
        "--build-constraint 'cython<3'",
        *("--python 3.12", "--python 3.13"),
    ]


def test_packages_that_rule_each_other_out_are_overridden_after_pythons_and_date():
    failure = failing(
        "Because colours==1 depends on urllib3<2 and tap-x==1 depends on urllib3>=2, requirements are unsatisfiable.",
        stage=Stage.RESOLVE,
    )

    assert [each for each in tried(failure) if "--python" not in each] == [
        "--exclude-newer 2020-01-01",
        "--override urllib3",
    ]


def test_pythons_that_the_tap_rules_out_are_not_tried():
    failure = failing("TypeError: no")

    assert [each for each in tried(failure) if "--python" in each][-1] == "--python 3.13"
    assert not [
        each for each in tried(replace(failure, requires_python=">=3.10,<3.13")) if "3.13" in each or "3.9" in each
    ]


def test_a_date_that_was_asked_for_stays():
    assert not [
        each for each in tried(failing("no"), Recipe("tap-x", exclude_newer="2021-01-01")) if "--exclude-newer" in each
    ]


@pytest.mark.parametrize(
    "cause",
    [
        "ImportError: cannot import name 'x' from 'urllib3.util' (/e/urllib3/util.py)",
        "AttributeError: module 'urllib3.util' has no attribute 'x'",
        "ModuleNotFoundError: No module named 'urllib3.packages'",
        "ValueError: urllib3.dtype size changed, may indicate binary incompatibility. Expected 96 from C header",
        "ImportError: urllib3.core.multiarray failed to import",
    ],
)
def test_what_a_failure_names_is_taken_at_an_earlier_version(cause):
    assert tried(failing(cause))[0] == "--with 'urllib3<1'"


@pytest.mark.parametrize(
    ("cause", "first"),
    [
        ("ModuleNotFoundError: No module named 'rarely.installed'", "--with rarely"),
        ("ModuleNotFoundError: No module named 'google.cloud.storage'", "--with google-cloud-storage"),
        (
            "pkg_resources.DistributionNotFound: The 'attrs>=1' distribution was not found and is required by x",
            "--with attrs",
        ),
        ("importlib.metadata.PackageNotFoundError: No package metadata was found for singer-sdk", "--with singer-sdk"),
        (
            "ImportError: Missing optional dependency 'openpyxl'.  Use pip or conda to install openpyxl.",
            "--with openpyxl",
        ),
        ("ImportError: lxml not found, please `pip install lxml`", "--with lxml"),
    ],
)
def test_what_is_missing_is_put_beside_it(cause, first):
    assert tried(failing(cause))[0] == first


def test_a_module_of_something_installed_is_not_taken_for_a_package():
    assert "--with urllib3" not in tried(failing("ModuleNotFoundError: No module named 'urllib3.packages'"))


def test_a_remedy_replaces_what_was_said_of_the_same_package_and_keeps_the_rest():
    before = Recipe("tap-x", extras=("pytz", "urllib3<2"), python="3.9")

    assert Remedy.of(extras="urllib3<1", python="3.11").to(before) == Recipe(
        "tap-x", extras=("pytz", "urllib3<1"), python="3.11"
    )


# ── what is known, row by row ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("module", "requirement"), known.BROUGHT_BY.items())
def test_a_module_whose_distribution_has_another_name_is_brought_by_it(module, requirement):
    first = tried(failing(f"ModuleNotFoundError: No module named '{module}'"))[0]

    assert shlex.split(first) == ["--with", requirement]


GONE = [
    ("3.8", "AttributeError: module 'fractions' has no attribute 'gcd'"),
    ("3.8", "AttributeError: 'Thread' object has no attribute 'isAlive'"),
    ("3.8", "AttributeError: module 'base64' has no attribute 'decodestring'"),
    (
        "3.9",
        "ImportError: cannot import name 'Mapping' from 'collections' (/usr/lib/collections/__init__.py)",
    ),
    ("3.9", "AttributeError: module 'collections' has no attribute 'Callable'"),
    ("3.9", "ModuleNotFoundError: No module named 'parser'"),
    ("3.10", "AttributeError: module 'inspect' has no attribute 'getargspec'. Did you mean: 'getargs'?"),
    ("3.10", "AttributeError: module 'asyncio' has no attribute 'coroutine'"),
    ("3.10", "ModuleNotFoundError: No module named 'binhex'"),
    ("3.11", "ModuleNotFoundError: No module named 'imp'"),
    ("3.11", "ModuleNotFoundError: No module named 'distutils'"),
    ("3.11", "AttributeError: module 'ssl' has no attribute 'match_hostname'"),
    ("3.11", "ImportError: cannot import name 'match_hostname' from 'ssl'"),
    ("3.11", "AttributeError: module 'pkgutil' has no attribute 'ImpImporter'. Did you mean: 'zipimporter'?"),
    ("3.11", "AttributeError: module 'configparser' has no attribute 'SafeConfigParser'"),
    ("3.11", "ModuleNotFoundError: No module named 'urllib3.packages.six.moves'"),
    ("3.12", "ModuleNotFoundError: No module named 'cgi'"),
    ("3.12", "ModuleNotFoundError: No module named 'telnetlib'"),
]


@pytest.mark.parametrize(("last", "cause"), GONE)
def test_what_python_lost_leads_to_the_last_one_that_has_it(last, cause):
    pythons = [
        each.removeprefix("--python ") for each in tried(failing(cause, python=13)) if each.startswith("--python")
    ]

    assert pythons == [each.minor for each in PYTHONS if each.age <= tuple(map(int, last.split(".")))]
    assert not [each for each in tried(failing(cause, python=13)) if "<" in each and "setuptools" not in each]


def test_every_row_about_python_is_shown_above():
    assert {each.why for each in known.GONE} == {
        each.why for each in known.GONE for _, cause in GONE if each.explains(cause)
    }


@pytest.mark.parametrize(
    ("said", "constraint"),
    [
        ("error in pyral setup command: use_2to3 is invalid.", "setuptools<58"),
        ("ModuleNotFoundError: No module named 'pkg_resources'", "setuptools<81"),
        ("packaging.version.InvalidVersion: Invalid version: '1.0-dev-x'", "setuptools<66"),
        ("AttributeError: 'build_ext' object has no attribute 'cython_sources'", "cython<3"),
    ],
)
def test_what_a_failed_build_says_leads_to_tools_of_its_time(said, constraint):
    failure = failing("no", stage=Stage.BUILD, said=f"error: Failed to build `orjson==3.6.1`\n{said}")

    assert join(["--build-constraint", constraint]) in tried(failure)
    assert constraint in {each.constraint for each in known.BUILT_WITH}


@pytest.mark.parametrize("row", known.INSTEAD)
def test_what_stands_in_for_a_package_takes_its_place(row):
    failure = failing("no", stage=Stage.BUILD, said=f"error: Failed to build `{row.package}==2.7.4`")

    assert join(["--with", row.by, "--override", f"{row.package}; python_version < '0'"]) in tried(failure)


SYSTEM = [
    ("Error: pg_config executable not found.", "libpq-dev"),
    ("ImportError: libpq.so.5: cannot open shared object file: No such file or directory", "libpq5"),
    ("/bin/sh: 1: mysql_config: not found", "default-libmysqlclient-dev"),
    ("ImportError: libmariadb.so.3: cannot open shared object file: No such file or directory", "libmariadb3"),
    ("src/pyodbc.h:56:10: fatal error: sql.h: No such file or directory", "unixodbc-dev"),
    ("ImportError: libodbc.so.2: cannot open shared object file: No such file or directory", "unixodbc"),
    ("fatal error: librdkafka/rdkafka.h: No such file or directory", "librdkafka-dev"),
    ("src/pymssql/_mssql.c:1:10: fatal error: sqlfront.h: No such file or directory", "freetds-dev"),
    ("Modules/common.h:15:10: fatal error: lber.h: No such file or directory", "libldap-dev"),
    ("sasl/saslwrapper.h:22:10: fatal error: sasl/sasl.h: No such file or directory", "libsasl2-dev"),
    (
        "src/lxml/includes/etree_defs.h:14:10: fatal error: libxml/xmlversion.h: No such file or directory",
        "libxslt1-dev",
    ),
    ("c/_cffi_backend.c:15:10: fatal error: ffi.h: No such file or directory", "libffi-dev"),
    ("fatal error: openssl/opensslv.h: No such file or directory", "libssl-dev"),
    ("snappy/snappymodule.cc:31:10: fatal error: snappy-c.h: No such file or directory", "libsnappy-dev"),
    ("/bin/sh: 1: krb5-config: not found", "libkrb5-dev"),
    ("fatal error: Python.h: No such file or directory", "python3-dev"),
    ("error: can't find Rust compiler", "cargo"),
    ("error: command 'gcc' failed: No such file or directory", "build-essential"),
]


@pytest.mark.parametrize(("said", "package"), SYSTEM)
def test_a_part_of_the_system_that_is_missing_is_known_by_its_debian_package(said, package):
    assert known.missing_in_the_system(f"running build_ext\n{said}\nstopped") == package


def test_every_part_of_the_system_is_shown_above():
    assert {package for _, package in SYSTEM} == {each.debian for each in known.SYSTEM}


def test_a_compiler_that_is_only_named_is_not_missing():
    assert known.missing_in_the_system("gcc -I/usr/include/Python.h x.c\nx.c:1:1: error: unknown type name") is None
