"""Objects and arrays as structs, lists and columns of members: what every destination promises of them."""

import json
from decimal import Decimal

from orchestrator.config import WHOLE, Nested, Nesting
from tests.destinations.landing import land, record, rows, schema, types
from tests.destinations.test_contract import ODD_NAMES

STRUCT, FLAT = Nesting(Nested.STRUCT), Nesting(flatten=2)


def object_of(**members):
    """The schema of an object; a member is named by its JSON type or is a JSON schema."""
    described = {name: said if isinstance(said, dict) else {"type": said} for name, said in members.items()}
    return {"type": ["null", "object"], "properties": described}


def array_of(items):
    return {"type": "array", "items": items}


def people(**members):
    return schema("people", ["id"], id="integer", who=object_of(**members))


def person(id, who=None):
    return record("people", id=id, who=who)


def told(place, type="JSON"):
    """Type and values of `who`, as JSON, by the key."""
    assert types(place, "people")["who"] == type
    return {id: who and json.loads(who) for id, who in place.query("people", "SELECT id, to_json(who)::VARCHAR")}


def test_structs_and_lists_land_as_such(place, destination):
    team = object_of(name="string", since={"type": "string", "format": "date"})
    land(
        destination,
        people(name="string", team=team, tags=array_of({"type": "string"}), rest="object"),
        person(1, {"name": "Ada", "team": {"name": "a", "since": "2024-02-29"}, "tags": ["x", None], "rest": {"n": 1}}),
        person(2, {"tags": [], "team": {}}),
        person(3, {}),
        person(4),
        nesting=STRUCT,
    )

    nobody = dict.fromkeys(("name", "team", "tags", "rest"))
    assert told(
        place, 'STRUCT("name" VARCHAR, team STRUCT("name" VARCHAR, since DATE), tags VARCHAR[], rest JSON)'
    ) == {
        1: {"name": "Ada", "team": {"name": "a", "since": "2024-02-29"}, "tags": ["x", None], "rest": {"n": 1}},
        2: nobody | {"tags": [], "team": {"name": None, "since": None}},
        3: nobody,
        4: None,
    }


def test_a_struct_grows_from_commit_to_commit_at_any_depth_and_keeps_what_it_held(place, destination):
    land(
        destination,
        people(a=object_of(n="integer", gone="string")),
        person(1, {"a": {"n": 1, "gone": "x"}}),
        nesting=STRUCT,
    )
    land(
        destination,
        people(b=array_of(object_of(n="integer")), a=object_of(m="string", n="number")),
        person(2, {"a": {"n": 0.5, "m": "y"}, "b": [{"n": 2**70, "extra": True}]}),
        nesting=STRUCT,
    )
    land(destination, people(b=array_of(object_of(n="integer"))), person(3, {"b": [{"n": 3}]}), nesting=STRUCT)

    type = "STRUCT(a STRUCT(n DOUBLE, gone VARCHAR, m VARCHAR), b STRUCT(n DECIMAL(38,0), extra JSON)[])"
    assert told(place, type) == {
        1: {"a": {"n": 1, "gone": "x", "m": None}, "b": None},
        2: {"a": {"n": 0.5, "gone": None, "m": "y"}, "b": [{"n": 2**70, "extra": True}]},
        3: {"a": None, "b": [{"n": 3, "extra": None}]},
    }


def test_a_member_widens_only_as_far_as_its_values_stay_what_they_are(place, destination):
    members = {"fits": 2**53, "not": 2**53 + 1}
    land(destination, people(**dict.fromkeys(members, "integer")), person(1, members), nesting=STRUCT)
    land(destination, people(**dict.fromkeys(members, "number")), person(2, {"fits": 0.5, "not": 0.5}), nesting=STRUCT)

    values = place.query("people", "SELECT who.fits::VARCHAR, who.not::VARCHAR")
    assert [[Decimal(each) for each in row] for row in values] == [[2**53, 2**53 + 1], [Decimal("0.5")] * 2]


def test_a_struct_becomes_json_where_nothing_else_keeps_what_comes(place, destination):
    odd = {"when": "2024-01-01T01:00:00+01:00", "n": 1.5, "t": 'a"b\n', "list": [None, [], {"x": None}], "o": {"k": 1}}
    instant = {"type": "string", "format": "date-time"}
    known = people(
        when=instant, n="number", t="string", list=array_of(object_of(x="integer")), o="object", no="boolean"
    )
    land(
        destination,
        known,
        person(1, odd | {"list": [None, {"x": None}, {"x": 2}]}),
        person(2, {}),
        person(3),
        nesting=STRUCT,
    )
    land(destination, known, person(4, "somebody"), nesting=STRUCT)

    assert told(place) == {
        1: odd | {"when": "2024-01-01T00:00:00.000000Z", "list": [None, {}, {"x": 2}]},
        2: {},
        3: None,
        4: "somebody",
    }


def test_the_settings_may_change_from_commit_to_commit(place, destination):
    known = people(name="string", tags=array_of({"type": "string"}))
    values = {id: {"name": f"n{id}", "tags": [str(id)]} for id in range(6)}
    for id, nesting in enumerate((STRUCT, WHOLE, FLAT, STRUCT, WHOLE, Nesting(Nested.STRUCT, 1))):
        land(destination, known, person(id, values[id]), nesting=nesting)

    flat = place.query("people", "SELECT id, who__name, to_json(who__tags)::VARCHAR")
    whole = {id: who for id, who in told(place).items() if who is not None}
    assert whole == {id: value for id, value in values.items() if id not in (2, 5)}
    assert {id: {"name": name, "tags": json.loads(tags)} for id, name, tags in flat if name} == {
        id: value for id, value in values.items() if id in (2, 5)
    }


def test_fields_of_any_name_stand_beside_each_other(place, destination):
    names = [*ODD_NAMES, "", "\0", "a.b", "Name", "name", "NAME"]
    land(
        destination,
        people(**dict.fromkeys(names, "string")),
        person(1, {name: f"1{name}" for name in names}),
        nesting=STRUCT,
    )
    more = [*reversed(names), "nAme"]
    land(
        destination,
        people(**dict.fromkeys(more, "string")),
        person(2, {name: f"2{name}" for name in more}),
        nesting=STRUCT,
    )
    land(destination, people(), person(3, 7), nesting=STRUCT)

    assert told(place) == {
        1: {name: f"1{name}" for name in names},
        2: {name: f"2{name}" for name in more},
        3: 7,
    }


def test_a_new_generation_brings_its_structs(place, destination):
    known = schema("all", who=object_of(name="string"))
    land(destination, known, record("all", who={"name": "x"}), nesting=STRUCT)
    land(destination, known, record("all", who={"name": "y", "n": 1}), run=2, gathering=("all",), nesting=STRUCT)

    assert place.query("all", "SELECT who.name, who.n") == [("y", "1")]


def test_members_have_columns_of_their_own(place, destination):
    known = people(name="string", team=object_of(id="integer", free="object"))
    land(
        destination,
        known,
        person(1, {"name": "Ada", "team": {"id": 7, "free": {"x": 1}}}),
        person(2, {"name": "Bob", "team": {}, "more": [2]}),
        person(3, "somebody"),
        person(4),
        nesting=FLAT,
    )

    assert types(place, "people")["who__team__id"] == "BIGINT"
    columns = ("id", "who__name", "who__team__id", "who__team__free", "who__team", "who__more", "who")
    assert rows(place, "people", *columns) == [
        (1, "Ada", 7, '{"x": 1}', None, None, None),
        (2, "Bob", None, None, "{}", "[2]", None),
        (3, None, None, None, None, None, '"somebody"'),
        (4, None, None, None, None, None, None),
    ]


def test_a_row_that_comes_again_leaves_nothing_of_its_members(place, destination):
    land(destination, people(name="string"), person(1, {"name": "Ada", "more": 1}), person(2, 7), nesting=FLAT)
    land(destination, people(name="string"), person(1, {"name": None}), person(2, {"name": "Bob"}), nesting=FLAT)

    assert rows(place, "people", "id", "who__name", "who__more", "who") == [
        (1, None, None, '{"name": null}'),
        (2, "Bob", None, None),
    ]


def test_a_property_and_a_member_of_the_same_name_keep_apart(place, destination):
    both = schema("people", ["id"], id="integer", who__name="string", who=object_of(name="string", Name="string"))
    land(destination, both, record("people", id=1, who__name="a", who={"name": "b", "Name": "c"}), nesting=FLAT)
    land(destination, people(name="string"), person(2, {"name": "d"}), nesting=FLAT)
    land(destination, both, record("people", id=3, who__name="e", who={"name": "f"}), nesting=FLAT)

    names = [name for name in types(place, "people") if name.lower().startswith("who__name")]
    assert (len(names), names[0]) == (3, "who__name")
    assert rows(place, "people", *names) == [("a", "b", "c"), (None, "d", None), ("e", "f", None)]
