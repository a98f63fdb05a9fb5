"""What may stand in orchestrator.toml: its sections, their settings, and what each has to be."""

import datetime
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.config.measures import bytes_of, seconds_of
from orchestrator.config.values import CatchUp, Mode, Nested, Occasion, OnBadLine, Sandbox, Validate


@dataclass(frozen=True, slots=True)
class Kind:
    """What a setting has to be. `words` completes "it must be ..."."""

    words: str
    fits: Callable[[Any], bool]
    choices: tuple[str, ...] = ()


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and re.match(r"https?://[^/\s]", value) is not None


def _is_told_at(value: Any) -> bool:
    # Whether a text is an address is told without showing it: it may be a token.
    return isinstance(value, dict) or _is_text(value)


def _is_occasions(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(each in [*Occasion] for each in value)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _is_tables(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_table, value.values()))


def _is_list_of_tables(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_table, value))


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_switch(value: Any) -> bool:
    return isinstance(value, bool)


def _is_above_zero(value: Any) -> bool:
    return _is_whole(value) and value > 0


def _is_seconds(value: Any) -> bool:
    return (_is_whole(value) or isinstance(value, float)) and math.isfinite(value) and value >= 0


def _is_interval(value: Any) -> bool:
    return (seconds_of(value) or 0) >= 1


def _is_zone(value: Any) -> bool:
    # Only a workspace that names a zone pays for the import.
    from zoneinfo import ZoneInfo

    try:
        return isinstance(value, str) and bool(ZoneInfo(value))
    except (LookupError, ValueError, OSError):
        return False


def _is_moment(value: Any) -> bool:
    if isinstance(value, str):
        value = _moment(value)
    # A time without a zone is another moment on another machine.
    return isinstance(value, datetime.date) and (not isinstance(value, datetime.datetime) or value.tzinfo is not None)


def _moment(text: str) -> datetime.date | None:
    for read in (datetime.date.fromisoformat, datetime.datetime.fromisoformat):
        try:
            return read(text)
        except ValueError:
            continue
    return None


def _one_of(*choices: str) -> Kind:
    *most, last = (f'"{choice}"' for choice in choices)
    return Kind(f"{', '.join(most)} or {last}", lambda value: value in choices, choices)


REQUIREMENT = Kind('a requirement, a git+https URL or a path, such as "tap-gitlab==1.0.1"', _is_text)
REQUIREMENTS = Kind('a list of requirements, such as ["pytz"]', _is_texts)
SWITCH = Kind("true or false", _is_switch)
VERSION = Kind('a version in quotes, such as "3.11"', _is_text)
PATTERNS = Kind('a list of patterns, such as ["issues.*", "!issues.description"]', _is_texts)
NAME = Kind('a name in quotes, such as "gitlab"', _is_text)
NAMES = Kind('a list of names, such as ["id"]', _is_texts)
PATH = Kind('a path in quotes, such as "data/warehouse.duckdb"', _is_text)
FOLDERS = Kind('a list of folders or files, such as ["/srv/exports"]', _is_texts)
NESTED = _one_of(*Nested)
LEVELS = Kind("a whole number of levels, 0 or above", lambda value: _is_whole(value) and value >= 0)
ROWS = Kind("a whole number above 0", _is_above_zero)
SECONDS = Kind("a number of seconds, such as 10 or 0.5", _is_seconds)
DURATION = Kind('a number of seconds above 0, or a text such as "15 min"', lambda value: seconds_of(value) is not None)
SIZE = Kind('a number of bytes above 0, or a text such as "1 GB"', lambda value: bytes_of(value) is not None)
COUNT = Kind("a whole number above 0", _is_above_zero)
INTERVAL = Kind('a number of seconds from 1, or a text such as "15 min" or "1 day"', _is_interval)
MOMENT = Kind("a date such as 2021-06-01, or a time with its zone such as 2021-06-01T12:00:00Z", _is_moment)

Shape = Mapping[str, Kind]

SECTIONS: Shape = {
    "taps": Kind("tables, each written [taps.NAME]", _is_tables),
    "destinations": Kind("tables, each written [destinations.NAME]", _is_tables),
    "flows": Kind("a list of tables, each written [[flows]]", _is_list_of_tables),
    "retention": Kind("a table, written [retention]", _is_table),
    "notify": Kind("a list of tables, each written [[notify]]", _is_list_of_tables),
    "hub": Kind("a table, written [hub]", _is_table),
}

TAP: Shape = {
    "package": REQUIREMENT,
    "python": VERSION,
    "with": REQUIREMENTS,
    "overrides": REQUIREMENTS,
    "build_constraints": REQUIREMENTS,
    "no_build": SWITCH,
    "exclude_newer": MOMENT,
    "executable": NAME,
    "inherit": NAME,
    "select": PATTERNS,
    "config_in": _one_of("memory", "file"),
    "nested": NESTED,
    "flatten": LEVELS,
    "sandbox": _one_of(*Sandbox),
    "allow_read": FOLDERS,
    "allow_write": FOLDERS,
    "max_runs": COUNT,
    "limits": Kind("a table, written [taps.NAME.limits]", _is_table),
    "config": Kind("a table, written [taps.NAME.config]", _is_table),
    "env": Kind("a table, written [taps.NAME.env]", _is_table),
    "streams": Kind("tables, each written [taps.NAME.streams.STREAM]", _is_tables),
}
OF_THE_ENVIRONMENT = (
    "package",
    "python",
    "with",
    "overrides",
    "build_constraints",
    "no_build",
    "exclude_newer",
    "executable",
)
"""What a tap that inherits takes from its parent, and so cannot say itself."""

LIMITS: Shape = {
    "timeout": DURATION,
    "idle_timeout": DURATION,
    "memory": SIZE,
    "cpu_time": DURATION,
    "processes": COUNT,
    "open_files": COUNT,
    "log_size": SIZE,
    "batch_size": SIZE,
    "batch_ratio": COUNT,
}

STREAM: Shape = {
    "replication": _one_of("incremental", "full_table", "log_based"),
    "cursor": NAME,
    "key": NAMES,
    "nested": NESTED,
    "flatten": LEVELS,
}

DESTINATION: Shape = {
    "type": _one_of("duckdb", "parquet"),
    "path": PATH,
    "schema": NAME,
    "max_runs": COUNT,
}

FLOW: Shape = {
    "name": NAME,
    "from": Kind("the name of a tap", _is_text),
    "to": Kind("the name of a destination", _is_text),
    "mode": _one_of(*Mode),
    "commit_rows": ROWS,
    "commit_seconds": SECONDS,
    "on_bad_line": _one_of(*OnBadLine),
    "validate": _one_of(*Validate),
    "schedule": Kind('a table, such as { every = "15 min" } or { cron = "0 6 * * 1-5" }', _is_table),
    "freshness": DURATION,
    "retries": Kind('a table, such as { attempts = 3, backoff = "30 s", max = "10 min" }', _is_table),
    "retention": Kind('a table, such as { archives = 5, age = "90 days" }', _is_table),
    "priority": Kind("a whole number, such as 10", _is_whole),
    "after": Kind('a list of flows, such as ["orders"]', _is_texts),
}

SCHEDULE: Shape = {
    "every": INTERVAL,
    "cron": Kind('an expression of five fields in quotes, such as "0 6 * * 1-5"', _is_text),
    "tz": Kind('the name of a time zone, such as "Europe/Paris"', _is_zone),
    "jitter": DURATION,
    "catch_up": _one_of(*CatchUp),
}

RETRIES: Shape = {
    "attempts": ROWS,
    "backoff": DURATION,
    "max": DURATION,
}

NOTIFY: Shape = {
    "name": NAME,
    "to": Kind('an address such as "mailto://localhost?to=ada@example.com", or { secret = "NAME" }', _is_told_at),
    "on": Kind(f"a list of {', '.join(Occasion)}", _is_occasions),
    "flows": Kind('a list of flows or patterns, such as ["billing-*"]', _is_texts),
}

HUB: Shape = {
    "url": Kind('an address such as "https://hub.meltano.com"', _is_address),
}

RETENTION: Shape = {
    "runs": Kind("a whole number above 0", _is_above_zero),
    "archives": Kind("a whole number, 0 or above", lambda value: _is_whole(value) and value >= 0),
    "age": DURATION,
}
