"""Every way in which a document departs from the shape of orchestrator.toml, each in a sentence for people."""

import datetime
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.config.addresses import holds_a_secret, is_address
from orchestrator.config.names import surely_names_a_secret
from orchestrator.config.shape import (
    DESTINATION,
    FLOW,
    HUB,
    LIMITS,
    NOTIFY,
    OF_THE_ENVIRONMENT,
    RETENTION,
    RETRIES,
    SCHEDULE,
    SECTIONS,
    STREAM,
    TAP,
    Shape,
)
from orchestrator.config.statements import Place
from orchestrator.config.values import Occasion, beginning_of_variables, closest

Document = Mapping[str, Any]
"""What a TOML text holds."""

ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
VARIABLE = re.compile(r"\$\{\s*(\w*)[^}]*\}")
NAME_OF_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
REFERENCES = {
    "secret": "a secret of the vault",
    "env": "an environment variable",
    "file": "a file",
    "command": "a program and its arguments",
}
"""What stands for a secret, by the one key of its table, and what its value names."""
OURS = "_orchestrator"
"""The schema in which a destination keeps our own tables."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that cannot be meant. `place` leads to it, `owner` is the tap, flow or destination that has it."""

    place: Place
    text: str
    owner: str = ""

    def __str__(self) -> str:
        return f"{self.owner}: {self.text}" if self.owner else self.text


def find_problems(document: Document) -> list[Problem]:
    """Everything wrong with a document, found in one reading. An empty list means it can be meant."""
    return [Problem(place, text, _owner(document, place)) for place, text in _problems(document)]


Found = Iterator[tuple[Place, str]]


def _problems(document: Document) -> Found:
    yield from _departures((), document, SECTIONS)
    taps, destinations = _tables(document, "taps"), _tables(document, "destinations")
    for id, tap in taps.items():
        yield from _tap_problems(("taps", id), tap)
        yield from _inheritance_problems(id, taps)
    yield from _namesake_problems(taps)
    for id, destination in destinations.items():
        yield from _destination_problems(("destinations", id), destination)
    yield from _flow_problems(_flows(document), taps, destinations)
    yield from _notify_problems(_listed_tables(document, "notify"), _flows(document))
    if isinstance(retention := document.get("retention"), dict):
        yield from _departures(("retention",), retention, RETENTION)
    if isinstance(hub := document.get("hub"), dict):
        yield from _departures(("hub",), hub, HUB)


def _departures(place: Place, table: Document, shape: Shape, required: Iterable[str] = ()) -> Found:
    unknown = {key: closest(key, shape) for key in table if key not in shape}
    for key, value in table.items():
        if key in unknown:
            yield (*place, key), _unknown(place, key, unknown[key], shape)
        elif not shape[key].fits(value):
            near = _did_you_mean(value, shape[key].choices) if isinstance(value, str) else ""
            yield (*place, key), f"{key} is {_shown(value)}; it must be {shape[key].words}{near}"
    for key in required:
        # What was only mistyped is not missing as well.
        if key not in table and key not in unknown.values():
            yield place, f'"{key}" is missing; it must be {shape[key].words}'


def _unknown(place: Place, key: str, near: str | None, shape: Shape) -> str:
    if not place:
        return f"there is no section [{key}]; " + (f"did you mean [{near}]?" if near else f"there are {_listed(shape)}")
    otherwise = f"there are {_listed(shape)}"
    if shape is TAP:
        otherwise = f"what the tap itself understands belongs under [taps.{place[1]}.config]"
    return f'there is no setting "{key}"; ' + (f'did you mean "{near}"?' if near else otherwise)


def _tap_problems(place: Place, tap: dict[str, Any]) -> Found:
    yield from _name_problem(place, str(place[-1]))
    yield from _departures(place, tap, TAP, required=() if "inherit" in tap else ("package",))
    if isinstance(limits := tap.get("limits"), dict):
        yield from _departures((*place, "limits"), limits, LIMITS)
    for stream, settings in _tables(tap, "streams").items():
        yield from _departures((*place, "streams", stream), settings, STREAM)
    for key, value in (tap["config"] if isinstance(tap.get("config"), dict) else {}).items():
        yield from _config_problems((*place, "config", key), value)
    for name, value in (tap["env"] if isinstance(tap.get("env"), dict) else {}).items():
        yield from _variable_problems((*place, "env", name), name, value)


def _variable_problems(place: Place, name: str, value: Any) -> Found:
    if not NAME_OF_VARIABLE.fullmatch(name):
        yield place, f'"{name}" cannot be the name of a variable'
    elif isinstance(value, str) or reference_parts(value) is not None:
        yield from _config_problems(place, value)
    else:
        written = "set" if surely_names_a_secret(name) else _shown(value)
        yield place, f"{name} is {written}; it must be text in quotes, or a reference"


def _inheritance_problems(id: str, taps: Mapping[str, dict[str, Any]]) -> Found:
    parent = taps[id].get("inherit")
    if not isinstance(parent, str):
        return
    for key in OF_THE_ENVIRONMENT:
        if key in taps[id]:
            yield ("taps", id, key), f'it inherits from "{parent}", so {key} can only be given there'
    if parent not in taps:
        yield ("taps", id, "inherit"), f'it inherits from "{parent}", but there is no such tap' + _choice(parent, taps)
    circle = _circle(id, taps)
    # A circle is one problem, told once.
    if circle and id == min(circle):
        yield ("taps", id, "inherit"), f"it inherits from itself: {' → '.join([*circle, id])}"


def _namesake_problems(taps: Iterable[str]) -> Found:
    """Taps that the same variables of the environment would be for."""
    first: dict[str, str] = {}
    for id in taps:
        variables = beginning_of_variables(id)
        if (other := first.setdefault(variables, id)) != id:
            yield ("taps", id), f'the variables {variables}… are those of tap "{other}"; it needs another name'


def _circle(id: str, taps: Mapping[str, dict[str, Any]]) -> list[str]:
    """The taps from `id` along `inherit` back to `id`; none when the way does not lead back."""
    passed: list[str] = []
    at: Any = id
    while isinstance(at, str) and at in taps and at not in passed:
        passed.append(at)
        at = taps[at].get("inherit")
    return passed if at == id else []


def reference_parts(value: Any) -> tuple[str, Any] | None:
    """(kind, name) of what refers to a secret, such as `{ env = "NAME" }`; None for any other value."""
    if isinstance(value, dict) and len(value) == 1:
        ((kind, name),) = value.items()
        if kind in REFERENCES:
            return kind, tuple(name) if isinstance(name, list) else name
    return None


def _config_problems(place: Place, value: Any) -> Found:
    """What the config of a tap cannot hold; in all else it is free."""
    said = _dotted(place[2:])
    if reference := reference_parts(value):
        yield from _reference_problems(place, said, *reference)
    elif isinstance(value, dict):
        for key, below in value.items():
            yield from _config_problems((*place, key), below)
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _config_problems((*place, index), below)
    elif isinstance(value, float) and not math.isfinite(value):
        yield place, f"{said} is {value}, which a tap cannot be told (its config is JSON)"
    elif isinstance(value, str) and (variable := VARIABLE.search(value)):
        name = (variable[1] if variable[0] == value else "") or "NAME"
        yield place, f'"{variable[0]}" in {said} is not filled in; make the whole value {{ env = "{name}" }}'


def _reference_problems(place: Place, said: str, kind: str, name: Any) -> Found:
    if kind == "command":
        if not isinstance(name, tuple) or not name or not all(isinstance(word, str) and word for word in name):
            written = _shown(list(name) if isinstance(name, tuple) else name)
            yield place, f'{said} is {{ command = {written} }}; it must be a list of words: ["PROGRAM", "ARGUMENT"]'
    elif not isinstance(name, str) or not name.strip():
        yield place, f"{said} is {{ {kind} = {_shown(name)} }}; {kind} must name {REFERENCES[kind]}, in quotes"
    elif kind == "env" and not NAME_OF_VARIABLE.fullmatch(name):
        possible = re.sub(r"\W+", "_", name.strip("${} ")) or "NAME"
        yield place, f'{said} refers to "{name}", which cannot be a variable; did you mean {{ env = "{possible}" }}?'


def _destination_problems(place: Place, destination: dict[str, Any]) -> Found:
    yield from _name_problem(place, str(place[-1]))
    yield from _departures(place, destination, DESTINATION, required=("type", "path"))
    schema = destination.get("schema")
    if not isinstance(schema, str):
        return
    for braces in re.findall(r"\{[^{}]*\}|[{}]", schema):
        if braces not in ("{flow}", "{tap}"):
            yield (*place, "schema"), f'schema is "{schema}", but only {{flow}} and {{tap}} are filled in'
    if schema.lower() == OURS:
        yield (*place, "schema"), f'schema is "{schema}", where our own tables are kept; it needs another name'


def _flow_problems(flows: Mapping[int, dict[str, Any]], taps: Document, destinations: Document) -> Found:
    named: dict[str, int] = {}
    for index, flow in flows.items():
        place: Place = ("flows", index)
        yield from _departures(place, flow, FLOW, required=("name", "from", "to"))
        name, tap, destination = flow.get("name"), flow.get("from"), flow.get("to")
        if isinstance(name, str):
            yield from _name_problem((*place, "name"), name)
            if named.setdefault(name, index) != index:
                yield (*place, "name"), "another flow has the same name; each needs its own"
        if isinstance(flow.get("schedule"), dict):
            yield from _schedule_problems((*place, "schedule"), flow["schedule"])
        if isinstance(flow.get("retries"), dict):
            yield from _departures((*place, "retries"), flow["retries"], RETRIES)
        if isinstance(flow.get("retention"), dict):
            yield from _departures((*place, "retention"), flow["retention"], RETENTION)
        if isinstance(tap, str) and tap not in taps:
            yield (*place, "from"), f'it takes from "{tap}", but there is no such tap{_choice(tap, taps)}'
        if isinstance(destination, str) and destination not in destinations:
            choice = _choice(destination, destinations)
            yield (*place, "to"), f'it goes to "{destination}", but there is no such destination{choice}'
    yield from _order_problems(flows)


def _order_problems(flows: Mapping[int, dict[str, Any]]) -> Found:
    after = {flow["name"]: _names(flow.get("after")) for flow in flows.values() if isinstance(flow.get("name"), str)}
    told: set[str] = set()
    for index, flow in flows.items():
        place: Place = ("flows", index, "after")
        name = flow.get("name")
        for other in _names(flow.get("after")):
            if other not in after:
                yield place, f'it comes after "{other}", but there is no such flow{_choice(other, after)}'
        circle = _way_back(name, after) if isinstance(name, str) and name not in told else []
        # A circle is one problem, told once.
        told.update(circle)
        if circle:
            yield place, f"it comes after itself: {' → '.join([*circle, circle[0]])}; take one of them out of after"


def _way_back(name: str, after: Mapping[str, list[str]]) -> list[str]:
    """The flows from `name` along `after` back to it; none when no way leads back."""
    ways, passed = [[name]], {name}
    while ways:
        way = ways.pop()
        others = after.get(way[-1], [])
        if name in others:
            return way
        ways += [[*way, other] for other in others if other not in passed]
        passed.update(others)
    return []


def _names(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _schedule_problems(place: Place, schedule: dict[str, Any]) -> Found:
    yield from _departures(place, schedule, SCHEDULE)
    if ("every" in schedule) == ("cron" in schedule):
        yield place, 'a schedule is either { every = "15 min" } or { cron = "0 6 * * 1-5" }'
    if "tz" in schedule and "cron" not in schedule:
        yield (*place, "tz"), "a time zone goes with cron; an interval is the same everywhere"
    cron = schedule.get("cron")
    if isinstance(cron, str) and cron.strip() and (flaw := _flaw_of_cron(cron)):
        yield (*place, "cron"), f'cron is "{cron}", {flaw}'


def _flaw_of_cron(cron: str) -> str | None:
    # Only a workspace that has such a schedule pays for the import.
    from cronsim import CronSim, CronSimError

    if len(cron.split()) != 5:
        return "but it needs five fields: minute, hour, day of month, month, day of week"
    try:
        next(CronSim(cron, datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)))
    except CronSimError as error:
        return f"whose {str(error).removeprefix('Bad ')} is wrong, or never comes"
    except StopIteration:
        return "which never comes"
    return None


def _notify_problems(told: Mapping[int, dict[str, Any]], flows: Mapping[int, dict[str, Any]]) -> Found:
    names = [flow["name"] for flow in flows.values() if isinstance(flow.get("name"), str)]
    seen: set[str] = set()
    for index, notify in told.items():
        place: Place = ("notify", index)
        yield from _departures(place, notify, NOTIFY, required=("name", "to"))
        name, to, on = notify.get("name"), notify.get("to"), notify.get("on")
        if isinstance(name, str):
            yield from _name_problem((*place, "name"), name)
            if name in seen:
                yield (*place, "name"), "another [[notify]] has the same name; each needs its own"
            seen.add(name)
        if isinstance(to, str) and not is_address(to):
            yield (*place, "to"), f"to is no address; it must be {NOTIFY['to'].words}"
        elif isinstance(to, str) and holds_a_secret(to):
            hint = f'keep it with `orchestrator secret set notify.{name}`: to = {{ secret = "notify.{name}" }}'
            yield (*place, "to"), f"to is an address that lets in whoever reads it; {hint}"
        elif isinstance(to, dict) and (reference := reference_parts(to)):
            yield from _reference_problems((*place, "to"), "to", *reference)
        elif isinstance(to, dict):
            yield (*place, "to"), f"to is {_shown(to)}; it must be {NOTIFY['to'].words}"
        if on == [Occasion.RECOVERED]:
            yield (*place, "on"), 'on is ["recovered"], but only who was told of a trouble is told of its end'
        for pattern in notify["flows"] if NOTIFY["flows"].fits(notify.get("flows")) else ():
            if ID.fullmatch(pattern) and pattern not in names:
                yield (
                    (*place, "flows"),
                    f'it tells of flow "{pattern}", but there is no such flow{_choice(pattern, names)}',
                )


def _name_problem(place: Place, name: str) -> Found:
    if not ID.fullmatch(name):
        possible = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_")[:63]
        near = f'; did you mean "{possible}"?' if possible else ""
        yield place, f"a name has 1 to 63 of a-z, 0-9, - and _, and starts with a letter or digit{near}"


def _tables(parent: Document, key: str) -> dict[str, dict[str, Any]]:
    """The tables under `key`; what should be one and is not, was complained about where it was found."""
    found = parent.get(key)
    return {name: table for name, table in found.items() if isinstance(table, dict)} if isinstance(found, dict) else {}


def _flows(document: Document) -> dict[int, dict[str, Any]]:
    return _listed_tables(document, "flows")


def _listed_tables(document: Document, key: str) -> dict[int, dict[str, Any]]:
    found = document.get(key)
    return {n: each for n, each in enumerate(found) if isinstance(each, dict)} if isinstance(found, list) else {}


def _owner(document: Document, place: Place) -> str:
    match place:
        case ("taps", id, "streams", stream, *_):
            return f'stream "{stream}" of tap "{id}"'
        case ("taps", id, *_):
            return f'tap "{id}"'
        case ("destinations", id, *_):
            return f'destination "{id}"'
        case ("flows", int(index), *_):
            name = document["flows"][index].get("name")
            return f'flow "{name}"' if isinstance(name, str) else f"flow number {index + 1}"
        case ("notify", int(index), *_):
            name = document["notify"][index].get("name")
            return f'notify "{name}"' if isinstance(name, str) else f"notify number {index + 1}"
        case ("retention" | "hub" as section, _):
            return section
    return ""


def _did_you_mean(word: str, choices: Iterable[str]) -> str:
    near = closest(word, choices)
    return f'; did you mean "{near}"?' if near else ""


def _choice(word: str, choices: Iterable[str]) -> str:
    """What could have been meant instead of `word`: the nearest, or all when none is near."""
    choices = list(choices)
    return _did_you_mean(word, choices) or (f"; there are {_listed(choices)}" if choices else "")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _dotted(place: Place) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).lstrip(".")


def _shown(value: Any) -> str:
    """A value as a person would write it, or its kind where it is long."""
    match value:
        case str():
            return f'"{value}"' if len(value) <= 60 else f'"{value[:57]}..."'
        case bool():
            return str(value).lower()
        case list() if len(str(value)) <= 60 and not any(isinstance(item, list | dict) for item in value):
            return f"[{', '.join(map(_shown, value))}]"
        case list():
            return "a list"
        case dict():
            return "a table"
    return str(value)
