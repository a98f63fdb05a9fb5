"""Each point of the contract is kept by a tap that does it right, and broken by one that does not."""

from dataclasses import replace

import pytest

from orchestrator.contract import POINTS, Asked, Discovery, Evidence, Sync, Verdict, judge
from orchestrator.contract.evidence import Narrowed

PROPERTIES = {"id": {"type": "integer"}, "name": {"type": ["null", "string"]}, "at": {"type": "string"}}
ISSUES = Asked(
    id="issues",
    aliases=frozenset({"issues"}),
    schema={"properties": PROPERTIES},
    columns=frozenset(PROPERTIES),
    taken=frozenset(PROPERTIES),
    key=("id",),
    method="incremental",
    cursor="at",
)
LABELS = replace(ISSUES, id="labels", aliases=frozenset({"labels"}), method="full_table", cursor=None)
OTHERS = replace(LABELS, id="others", aliases=frozenset({"others"}), selected=False)


def schema(stream, properties=PROPERTIES, key=("id",), **more):
    said = {"type": "object", "properties": properties} | more
    return {"type": "SCHEMA", "stream": stream, "schema": said, "key_properties": list(key)}


def row(stream, n, **members):
    record = {"id": n, "name": f"{stream} {n}", "at": f"2026-01-{n:02}T00:00:00Z"} | members
    return {"type": "RECORD", "stream": stream, "record": record}


def state(n):
    return {"type": "STATE", "value": {"bookmarks": {"issues": {"at": f"2026-01-{n:02}T00:00:00Z"}}}}


def said(*messages, **observed):
    return Sync(tuple(messages), **observed)


FIRST = said(
    *(schema("issues"), row("issues", 1), row("issues", 2), state(2), row("issues", 3), state(3)),
    *(schema("labels"), row("labels", 1), row("labels", 2), state(3)),
)
RESUMED = said(
    schema("issues"), row("issues", 3), state(3), schema("labels"), row("labels", 1), row("labels", 2), state(3)
)
KEEPS_ALL = Evidence(
    takes=frozenset({"config", "discover", "catalog", "state"}),
    asked=(ISSUES, LABELS, OTHERS),
    first=FIRST,
    discovery=Discovery(problem=None),
    resumed=RESUMED,
    narrowed=Narrowed(
        said(schema("labels", {"id": {}}), {"type": "RECORD", "stream": "labels", "record": {"id": 1}}), LABELS, "name"
    ),
    stopped=said(schema("issues"), row("issues", 1), row("issues", 2), state(2), row("issues", 3), leave=0.1),
    mended=said(
        *(schema("issues"), row("issues", 2), row("issues", 3), state(3)),
        *(schema("labels"), row("labels", 1), row("labels", 2), state(3)),
    ),
    bare=said(exit_code=1),
    refused=said(exit_code=1),
)


def first(*messages, **observed):
    """The same tap, which said this when it was read from its beginning."""
    return replace(KEEPS_ALL, first=said(*messages, **observed))


MANY = [schema("issues"), *(row("issues", 1, id=n) for n in range(10_001)), state(1)]

# Point, what was observed of a tap that breaks it, and what is found.
BROKEN = [
    ("start.options", replace(KEEPS_ALL, takes=frozenset({"config", "properties", "discover"})), "name --state"),
    ("start.settings", replace(KEEPS_ALL, bare=said()), "exit code 0"),
    ("discovery.catalog", replace(KEEPS_ALL, discovery=Discovery("it is empty")), "it is empty"),
    ("discovery.same", replace(KEEPS_ALL, discovery=Discovery(None, ("stream x is new",))), "stream x is new"),
    ("discovery.keys", replace(KEEPS_ALL, asked=(replace(ISSUES, key=("uid",)),)), '"uid"'),
    ("discovery.types", replace(KEEPS_ALL, asked=(replace(ISSUES, schema={"properties": {"id": {}}}),)), "issues.id"),
    ("messages.ends-well", first(*FIRST.messages, exit_code=3, last_words="boom"), "exit code 3: boom"),
    ("messages.only", replace(KEEPS_ALL, resumed=said(foreign=("Fetching page 2",))), "Fetching page 2"),
    ("messages.schema-first", first(row("issues", 1), schema("issues")), "a record of issues"),
    ("messages.announced", first(*FIRST.messages[:6]), "none for labels"),
    ("messages.asked-for", first(*FIRST.messages, schema("others")), "it sent others"),
    (
        "messages.columns",
        replace(KEEPS_ALL, narrowed=Narrowed(said(schema("labels"), row("labels", 1)), LABELS, "name")),
        "labels.name came",
    ),
    ("schema.valid", first(schema("issues", {"id": {"type": "int"}})), "that of issues"),
    ("schema.key", first(schema("issues", key=("uid",))), "does not declare uid"),
    ("schema.catalog", first(schema("issues", {"id": {}, "uid": {}})), "uid was not offered"),
    ("schema.rows-fit", first(schema("issues"), row("issues", 1, name=7)), "issues.name: 7 is not of type"),
    ("schema.declared", first(schema("issues"), row("issues", 1, color="red")), "issues sends color"),
    ("schema.has-key", first(schema("issues", {"id": {}}), row("issues", 1, id=None)), "a row of issues has no id"),
    ("schema.tells-apart", first(schema("labels"), row("labels", 1), row("labels", 1, name="b")), "id 1"),
    ("state.sent", first(schema("issues"), row("issues", 1)), "it sent none"),
    (
        "state.bookmarks",
        first(schema("issues"), row("issues", 1), {"type": "STATE", "value": {"bookmarks": {"labels": {}}}}),
        "does not name issues",
    ),
    ("state.covers", first(schema("issues"), row("issues", 2), state(2), row("issues", 1)), "came after a STATE at"),
    ("state.last", first(schema("issues"), state(1), row("issues", 1), row("issues", 2)), "2 rows came after it"),
    ("state.rhythm", first(*MANY), "10001 came without one"),
    ("resume.ends-well", replace(KEEPS_ALL, resumed=said(exit_code=1)), "exit code 1"),
    ("resume.only-new", replace(KEEPS_ALL, resumed=FIRST), "2 rows of issues came again"),
    ("resume.onwards", replace(KEEPS_ALL, resumed=said(state(1))), "issues was at 2026-01-03"),
    ("resume.announced", replace(KEEPS_ALL, resumed=said(schema("issues"), state(3))), "no SCHEMA for labels"),
    ("stop.soon", replace(KEEPS_ALL, stopped=said(cut="it did not end within 5 s")), "did not end within 5 s"),
    ("stop.whole-lines", replace(KEEPS_ALL, stopped=said(torn='{"type": "REC')), '{"type": "REC'),
    ("stop.loses-nothing", replace(KEEPS_ALL, mended=RESUMED, stopped=said(state(3))), "2 rows of issues were missing"),
    ("secrets.log", replace(KEEPS_ALL, resumed=replace(RESUMED, log_leaks=("token ***",))), "token ***"),
    ("secrets.messages", first(*FIRST.messages, leaks=('{"x": "***"}',)), "***"),
    ("secrets.refused", replace(KEEPS_ALL, refused=said()), "exit code 0"),
]  # fmt: skip


def verdicts(evidence):
    return {judged.point.id: judged for judged in judge(evidence)}


def test_a_tap_that_does_all_right_keeps_every_point():
    judged = verdicts(KEEPS_ALL)

    assert {id: each.found for id, each in judged.items() if each.verdict is Verdict.BROKEN} == {}
    assert [id for id, each in judged.items() if each.verdict is Verdict.NOT_TRIED] == ["state.rhythm"]


def test_every_point_can_be_broken():
    assert [id for id, _, _ in BROKEN] == [point.id for point in POINTS]
    assert len(POINTS) > 30


@pytest.mark.parametrize(("id", "evidence", "found"), BROKEN, ids=[id for id, _, _ in BROKEN])
def test_a_point_is_broken_by_a_tap_that_does_not_keep_it(id, evidence, found):
    judged = verdicts(evidence)[id]

    assert judged.verdict is Verdict.BROKEN
    assert found in judged.found


def test_what_nothing_tells_is_not_tried_and_says_why():
    nothing = Evidence(takes=frozenset({"config"}), asked=(), first=said(), has_catalog=False)

    judged = verdicts(nothing)

    assert [id for id, each in judged.items() if each.verdict is Verdict.BROKEN] == ["start.options", "state.sent"]
    assert judged["stop.soon"].found == "it had said all before it could be stopped"
    assert all(each.found for each in judged.values() if each.verdict is Verdict.NOT_TRIED)


def test_a_sync_that_was_cut_off_breaks_nothing_for_that():
    cut = replace(KEEPS_ALL, first=replace(FIRST, messages=FIRST.messages[:5], cut="3 records were heard"))

    judged = verdicts(replace(cut, resumed=None, mended=None, narrowed=None))

    assert {id: each.found for id, each in judged.items() if each.verdict is Verdict.BROKEN} == {}
    assert judged["messages.announced"].found == "3 records were heard; --records 0 and more --seconds hear more of it"


def test_a_point_says_what_it_means_and_how_to_mend_it():
    for point in POINTS:
        assert point.means
        assert point.mend
        assert point.group in point.id


@pytest.mark.parametrize(
    "line", [b"Fetching page 2", b"[]", b'{"type": "LOG"}', b'{"type": "RECORD", "record": {"x": NaN}}', b"\xff"]
)
def test_what_is_no_message_is_told_apart(line):
    sync = Sync.read([b'{"type": "STATE", "value": {}}', line, b""])

    assert len(sync.messages) == 1
    assert len(sync.foreign) == 1
