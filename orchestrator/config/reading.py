"""From the file to frozen values, or to one error that names everything wrong with it."""

import datetime
import os
import re
import tomllib
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from orchestrator.config.measures import bytes_of, seconds_of
from orchestrator.config.names import names_a_secret
from orchestrator.config.problems import Document, Problem, find_problems, reference_parts
from orchestrator.config.shape import DURATION, HUB, LIMITS, ROWS, SECONDS, SIZE, Kind
from orchestrator.config.statements import line_of, statements
from orchestrator.config.values import (
    WHOLE,
    CatchUp,
    Config,
    Destination,
    Flow,
    Hub,
    Limits,
    Mode,
    Nested,
    Nesting,
    Notify,
    Occasion,
    OnBadLine,
    Reference,
    Retention,
    Retries,
    Sandbox,
    Schedule,
    Scrutiny,
    StreamSettings,
    Tap,
    Validate,
    beginning_of_variables,
)
from orchestrator.errors import ConfigError


def read_config(path: Path, *, environ: Mapping[str, str] = os.environ) -> Config:
    """The values of the file at `path`; ORCHESTRATOR_COMMIT_ROWS and _SECONDS in `environ` overrule its flows,
    and ORCHESTRATOR_HUB_URL its hub.

    Raises ConfigError, which names every problem with its line.
    """
    return config_of(read_text(path), path, environ=environ)


def config_of(text: str, path: Path, *, environ: Mapping[str, str] = os.environ) -> Config:
    """The values of a text that is, or is about to be, in the file at `path`. Raises as `read_config` does."""
    document = _parsed(text, path)
    problems = find_problems(document)
    if problems:
        raise _refusal(path, text, problems)
    return _config(document, path.absolute().parent, _commit_limits(environ), environ)


def read_text(path: Path) -> str:
    """The text of the file, without the mark that some editors put in front of it. Raises ConfigError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        hint = "orchestrator init" if isinstance(error, FileNotFoundError) else None
        raise ConfigError(f"{shown(path)} cannot be read", cause=error.strerror, hint=hint) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError(f"{shown(path)}:{line}: this is not UTF-8 text") from error


def _parsed(text: str, path: Path) -> Document:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(text, path, str(error)) from error


def shown(path: Path) -> str:
    """The path as a person in the current folder would type it."""
    return min(os.path.relpath(path), str(path), key=len)


# What tomllib says, where a person would say it otherwise.
PLAINER = {
    "Illegal character '\\n'": "a quote is not closed",
    "Unterminated string": "a quote is not closed",
    "Cannot declare": "this header is in the file already",
    "Cannot overwrite a value": "this name has a value already",
}


def _not_toml(text: str, path: Path, complaint: str) -> ConfigError:
    since = f"git diff {shown(path)}        (shows what was changed since it was right)"
    said = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", complaint)
    if said is None:
        return ConfigError(f"{shown(path)} is not TOML", cause=complaint, hint=since)
    lines = text.rstrip().split("\n")
    number = int(said[2] or len(lines))
    where = f"{shown(path)}:{number}:{said[3]}" if said[3] else f"{shown(path)}:{number}"
    line = _without_secret("".join(lines[number - 1 : number]).strip())
    unquoted = re.fullmatch(r"([\w.-]+\s*=\s*)([A-Za-z][^\"'#]*?)\s*(#.*)?", line)
    plainer = (words for theirs, words in PLAINER.items() if said[1].startswith(theirs))
    return ConfigError(
        f"{where}: this is not TOML: {line}",
        cause=next(plainer, said[1][0].lower() + said[1][1:]) + ("" if said[3] else ", at the end of the file"),
        hint=f'text needs quotes: {unquoted[1]}"{unquoted[2]}"' if unquoted else since,
    )


def _without_secret(line: str) -> str:
    """The line without what follows the name of a secret. One that names nothing may be a part of a private key."""
    if not re.match(r"""\[|["'\w.-]+\s*=(?!=)|[}\]]""", line):
        return "***" if line else ""
    names = re.finditer(r"""([\w-]+)["']?\s*=""", line)
    return next((f"{line[: name.end()]} ***" for name in names if names_a_secret(name[1])), line)


def _refusal(path: Path, text: str, problems: Iterable[Problem]) -> ConfigError:
    """One error out of all problems of a text, in its order."""
    known, name = statements(text), shown(path)
    placed = sorted((line_of(known, problem.place) or 0, str(problem)) for problem in problems)
    sentences = [f"{name}:{line}: {sentence}" if line else f"{name}: {sentence}" for line, sentence in placed]
    if len(sentences) == 1:
        return ConfigError(sentences[0])
    return ConfigError(f"{name} has {len(sentences)} problems", cause="\n         ".join(sentences))


def _commit_limits(environ: Mapping[str, str]) -> dict[str, Any]:
    """What the environment says about every flow."""
    variables: Mapping[str, tuple[str, Kind, type[int] | type[float]]] = {
        "ORCHESTRATOR_COMMIT_ROWS": ("commit_rows", ROWS, int),
        "ORCHESTRATOR_COMMIT_SECONDS": ("commit_seconds", SECONDS, float),
    }
    limits: dict[str, Any] = {}
    for variable, (setting, kind, number) in variables.items():
        if not environ.get(variable):
            continue
        try:
            limits[setting] = number(environ[variable])
        except ValueError:
            limits[setting] = None
        if not kind.fits(limits[setting]):
            raise ConfigError(f'{variable} is "{environ[variable]}"; it must be {kind.words}', hint=f"unset {variable}")
    return limits


def hub_of(said: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> Hub:
    """The hub that orchestrator.toml says, or nobody, unless ORCHESTRATOR_HUB_URL says another. Raises ConfigError."""
    variable = "ORCHESTRATOR_HUB_URL"
    if not environ.get(variable):
        return Hub(**said)
    if not HUB["url"].fits(environ[variable]):
        raise ConfigError(
            f'{variable} is "{environ[variable]}"; it must be {HUB["url"].words}', hint=f"unset {variable}"
        )
    return Hub(environ[variable])


def _config(document: Document, root: Path, limits: Mapping[str, Any], environ: Mapping[str, str]) -> Config:
    """A document without problems, as values."""
    taps = document.get("taps", {})
    return Config(
        taps={id: _tap(id, taps, root) for id in taps},
        destinations={id: _destination(id, table, root) for id, table in document.get("destinations", {}).items()},
        flows={
            table["name"]: _flow(table, limits, document.get("retention", {})) for table in document.get("flows", [])
        },
        notify=tuple(_notify(table) for table in document.get("notify", [])),
        hub=hub_of(document.get("hub", {}), environ),
    )


def _tap(id: str, taps: Mapping[str, Any], root: Path) -> Tap:
    lineage = [id]
    while "inherit" in taps[lineage[-1]]:
        lineage.append(taps[lineage[-1]]["inherit"])
    environment = taps[lineage[-1]]
    nearest_first = [taps[name] for name in lineage]
    nearest = ChainMap(*nearest_first)
    streams = _merged(tap.get("streams", {}) for tap in reversed(nearest_first))
    return Tap(
        id=id,
        package=environment["package"],
        environment=lineage[-1],
        python=environment.get("python"),
        extras=tuple(environment.get("with", ())),
        overrides=tuple(environment.get("overrides", ())),
        build_constraints=tuple(environment.get("build_constraints", ())),
        no_build=environment.get("no_build", False),
        exclude_newer=_text_of(environment["exclude_newer"]) if "exclude_newer" in environment else None,
        executable=environment.get("executable"),
        select=tuple(nearest.get("select", ())),
        config_in=nearest.get("config_in", "memory"),
        nesting=_nesting(nearest),
        config=_merged(_told(tap.get("config", {})) for tap in reversed(nearest_first)),
        env=_merged(_told(tap.get("env", {})) for tap in reversed(nearest_first)),
        streams={name: _stream(table) for name, table in streams.items()},
        limits=_limits(_merged(tap.get("limits", {}) for tap in reversed(nearest_first))),
        sandbox=Sandbox(nearest.get("sandbox", Sandbox.AUTO)),
        allow_read=tuple(root / os.path.expanduser(path) for path in nearest.get("allow_read", ())),
        allow_write=tuple(root / os.path.expanduser(path) for path in nearest.get("allow_write", ())),
        max_runs=nearest.get("max_runs"),
        namesakes=tuple(each for each in taps if each != id and _begins_with(each, id)),
    )


def _begins_with(tap: str, other: str) -> bool:
    return beginning_of_variables(tap).startswith(beginning_of_variables(other))


def _merged(tables: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One table out of several; where two have the same key the later one wins, and tables in both are merged."""
    merged: dict[str, Any] = {}
    for table in tables:
        for key, value in table.items():
            both = isinstance(value, dict) and isinstance(merged.get(key), dict)
            merged[key] = _merged((merged[key], value)) if both else value
    return merged


def _told(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _told_value(value) for key, value in config.items()}


def _told_value(value: Any) -> Any:
    """A value as a tap can be told it: JSON, with References in it."""
    if reference := reference_parts(value):
        return Reference(*reference)
    match value:
        case dict():
            return _told(value)
        case list():
            return [_told_value(item) for item in value]
        case datetime.date() | datetime.time():
            return _text_of(value)
    return value


def _text_of(moment: datetime.date | datetime.time | str) -> str:
    """RFC 3339; UTC is written Z, because many taps read no other form."""
    return moment if isinstance(moment, str) else moment.isoformat().replace("+00:00", "Z")


def _limits(table: Mapping[str, Any]) -> Limits:
    read: Mapping[Kind, Callable[[Any], Any]] = {DURATION: seconds_of, SIZE: bytes_of}
    return Limits(**{key: read.get(LIMITS[key], int)(value) for key, value in table.items()})


def _stream(table: Mapping[str, Any]) -> StreamSettings:
    return StreamSettings(
        replication=table.get("replication"),
        cursor=table.get("cursor"),
        key=tuple(table["key"]) if "key" in table else None,
        nested=Nested(table["nested"]) if "nested" in table else None,
        flatten=table.get("flatten"),
    )


def _nesting(table: Mapping[str, Any]) -> Nesting:
    return Nesting(Nested(table.get("nested", WHOLE.nested)), table.get("flatten", WHOLE.flatten))


def _destination(id: str, table: Mapping[str, Any], root: Path) -> Destination:
    path = root / os.path.expanduser(table["path"])
    return Destination(id=id, type=table["type"], path=path, **_given(table, "schema", "max_runs"))


def _flow(table: Mapping[str, Any], limits: Mapping[str, Any], retention: Mapping[str, Any]) -> Flow:
    limits = {**_given(table, "commit_rows", "commit_seconds"), **limits}
    return Flow(
        name=table["name"],
        tap=table["from"],
        destination=table["to"],
        mode=Mode(table.get("mode", Mode.AUTO)),
        scrutiny=Scrutiny(
            OnBadLine(table.get("on_bad_line", OnBadLine.FAIL)), Validate(table.get("validate", Validate.TYPES))
        ),
        schedule=_schedule(table["schedule"]) if "schedule" in table else None,
        freshness=seconds_of(table["freshness"]) if "freshness" in table else None,
        retries=Retries(**_in_seconds(table.get("retries", {}), "backoff", "max")),
        retention=Retention(**_in_seconds({**retention, **table.get("retention", {})}, "age")),
        after=tuple(table.get("after", ())),
        **_given(table, "priority"),
        **limits,
    )


def _notify(table: Mapping[str, Any]) -> Notify:
    told = {key: tuple(table[key]) for key in ("on", "flows") if key in table}
    if "on" in told:
        told["on"] = tuple(map(Occasion, told["on"]))
    return Notify(table["name"], _told_value(table["to"]), **told)


def _schedule(table: Mapping[str, Any]) -> Schedule:
    catch_up = CatchUp(table.get("catch_up", CatchUp.ONE))
    return Schedule(**{**_in_seconds(table, "every", "jitter"), "catch_up": catch_up})


def _in_seconds(table: Mapping[str, Any], *durations: str) -> dict[str, Any]:
    return {key: seconds_of(value) if key in durations else value for key, value in table.items()}


def _given(table: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """What is written; for the rest the defaults stand with the values."""
    return {key: table[key] for key in keys if key in table}
