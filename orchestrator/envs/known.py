"""What is known about particular packages, Pythons and systems. The search for a remedy is general; these rows spare it
guesses that nothing in a failure leads to. Each has a reason, and a test that needs it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gone:
    """Something of Python itself that later versions lack. `modules` are those that cannot be imported any more,
    `said` is what else a failure for its lack looks like; `last` is the last minor version that has it."""

    last: str
    why: str
    modules: frozenset[str] = frozenset()
    said: str = r"(?!)"

    def explains(self, cause: str) -> bool:
        missing = _MISSING.search(cause)
        return bool(missing and missing[1] in self.modules) or re.search(self.said, cause) is not None


@dataclass(frozen=True, slots=True)
class Instead:
    """A distribution that can stand in for `package`."""

    package: str
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class BuiltWith:
    """A version of a build tool that old sources need; `said` is what failed builds say."""

    said: str
    constraint: str
    why: str


@dataclass(frozen=True, slots=True)
class Missing:
    """A part of the system. `said` is what builds and programs say that lack it, `debian` what brings it on Debian."""

    said: str
    debian: str


_MISSING = re.compile(r"No module named '([\w.]+)'")

BROUGHT_BY = {
    "pkg_resources": "setuptools<81",  # setuptools 82 is the first without it
    "distutils": "setuptools<81",  # since Python 3.12 setuptools alone brings it
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cgi": "legacy-cgi",  # the module of Python 3.12, kept alive: PEP 594
    "asyncore": "pyasyncore",  # likewise
    "asynchat": "pyasynchat",  # likewise
    "Crypto": "pycryptodome",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "google.api": "googleapis-common-protos",  # many share the namespace, and these have no package to themselves
    "google.protobuf": "protobuf",
    "google.rpc": "googleapis-common-protos",
    "google.type": "googleapis-common-protos",
    "jwt": "pyjwt",
    "MySQLdb": "mysqlclient",
    "nacl": "pynacl",
    "OpenSSL": "pyopenssl",
    "PIL": "pillow",
    "psycopg2": "psycopg2-binary",  # psycopg2 itself has to be built, with PostgreSQL at hand
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "yaml": "pyyaml",
    "zoneinfo": "backports.zoneinfo",  # in Python since 3.9
}
"""Modules whose distribution has another name."""

GONE = (
    Gone(
        "3.8",
        "three methods of the standard library that were deprecated for ten years",
        said=(
            r"module 'fractions' has no attribute 'gcd'|module 'base64' has no attribute '(?:en|de)codestring'"
            r"|'Thread' object has no attribute 'isAlive'"
        ),
    ),
    Gone(
        "3.9",
        "the abstract classes moved to collections.abc in 3.3",
        frozenset({"parser", "symbol"}),
        r"from 'collections'|'collections' has no attribute",
    ),
    Gone(
        "3.10",
        "inspect.getargspec and the decorator asyncio.coroutine were deprecated for years",
        frozenset({"binhex"}),
        r"'inspect' has no attribute 'getargspec'|'asyncio' has no attribute 'coroutine'|name 'getargspec' from",
    ),
    Gone(
        "3.11",
        "asynchat, asyncore, imp and smtpd are replaced; distutils: PEP 632; ssl.match_hostname was unsafe",
        frozenset({"asynchat", "asyncore", "distutils", "imp", "smtpd"}),
        r"'ssl' has no attribute '(?:match_hostname|wrap_socket)'|'match_hostname' from 'ssl'"
        r"|'pkgutil' has no attribute 'ImpImporter'|'configparser' has no attribute 'SafeConfigParser'",
    ),
    Gone(
        "3.11",
        "the six of its time finds its modules in a way that Python 3.12 no longer asks for",
        said=r"No module named '[\w.]*\bsix\.moves",
    ),
    Gone(
        "3.12",
        "modules that nobody maintained: PEP 594",
        frozenset(
            {
                *("aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "lib2to3", "mailcap", "msilib", "nis"),
                *("nntplib", "ossaudiodev", "pipes", "sndhdr", "spwd", "sunau", "telnetlib", "uu", "xdrlib"),
            }
        ),
    ),
)

INSTEAD = (
    Instead("psycopg2", "psycopg2-binary", "the same code, built for every Python; the other needs PostgreSQL's own"),
)

BUILT_WITH = (
    BuiltWith("use_2to3 is invalid|use_2to3", "setuptools<58", "58 took out the translation from Python 2"),
    BuiltWith("pkg_resources", "setuptools<81", "82 is the first without it"),
    BuiltWith("InvalidVersion|Invalid version", "setuptools<66", "66 takes versions by PEP 440 alone"),
    BuiltWith("cython_sources|[Cc]ython|\\.pyx", "cython<3", "3 compiles old sources to something else, or not"),
)

SYSTEM = (
    Missing(r"pg_config|libpq-fe\.h", "libpq-dev"),
    Missing(r"libpq\.so", "libpq5"),
    Missing(r"mysql_config|mariadb_config|mysql\.h|MYSQLCLIENT_CFLAGS", "default-libmysqlclient-dev"),
    Missing(r"libmysqlclient|libmariadb", "libmariadb3"),
    Missing(r"\bsql(?:ext)?\.h", "unixodbc-dev"),
    Missing(r"libodbc\.so", "unixodbc"),
    Missing(r"rdkafka\.h", "librdkafka-dev"),
    Missing(r"sybdb\.h|sqlfront\.h", "freetds-dev"),
    Missing(r"\bl(?:ber|dap)\.h", "libldap-dev"),
    Missing(r"sasl\.h", "libsasl2-dev"),
    Missing(r"xmlversion\.h|xslt-config|libxml/\w+\.h", "libxslt1-dev"),
    Missing(r"\bffi\.h", "libffi-dev"),
    Missing(r"openssl/\w+\.h", "libssl-dev"),
    Missing(r"snappy(?:-c)?\.h", "libsnappy-dev"),
    Missing(r"krb5-config|gssapi\.h", "libkrb5-dev"),
    Missing(r"Python\.h", "python3-dev"),
    Missing(r"can't find Rust compiler|rustc|cargo", "cargo"),
    Missing(
        r"command '[^']*g?cc'? failed: No such file|unable to execute '[^']*g?cc'|[Nn]o such file[^\n]*gcc",
        "build-essential",
    ),
)
_LACKS = re.compile(r"not found|[Nn]o such file|cannot open shared object|cannot find|can't find|unable to execute")


def last_python(cause: str) -> str | None:
    """The last Python that has what a failure was for the lack of, if Python itself once had it."""
    return next((each.last for each in GONE if each.explains(cause)), None)


def built_with(said: str) -> Iterable[str]:
    """Build constraints that what a failed build said speaks for."""
    return (each.constraint for each in BUILT_WITH if re.search(each.said, said))


def missing_in_the_system(said: str) -> str | None:
    """The Debian package of what a build or a program did not find in the system."""
    for line in filter(_LACKS.search, said.splitlines()):
        if found := next((each.debian for each in SYSTEM if re.search(each.said, line)), None):
            return found
    return None
