"""A tap is told the selection in both dialects, and finds everything else as it gave it."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from orchestrator.catalogs import choose, marked, read_catalog
from orchestrator.config import StreamSettings
from orchestrator.errors import UsageError
from tests.catalogs.examples import ALL, OLD, PAYMENTS, SHOP, TRACKER, WAREHOUSE, at, catalog, changed, printed


def handed_over(document, *patterns, **settings):
    """The streams of the catalog that the tap is started with, by id."""
    offered = catalog(document)
    choices = choose(offered, patterns, {name: StreamSettings(**said) for name, said in settings.items()})
    streams = json.loads(marked(offered, choices))["streams"]
    return {entry.get("tap_stream_id", entry["stream"]): entry for entry in streams}


def test_the_selection_stands_in_metadata_on_the_stream_and_in_its_schema():
    streams = handed_over(TRACKER, "issues", "!issues.description")

    for name, selected in (("issues", True), ("projects", False), ("audit_events", False)):
        entry = streams[name]
        assert [entry["selected"], entry["schema"]["selected"], at(entry)["selected"]] == [selected] * 3
    issues = streams["issues"]
    for column, selected in (("id", True), ("title", True), ("description", False), ("author", True)):
        assert at(issues, "properties", column)["selected"] is selected
        assert issues["schema"]["properties"][column]["selected"] is selected


def test_every_entry_of_metadata_says_whether_it_is_selected():
    for document in ALL.values():
        for entry in handed_over(document).values():
            assert {type(each["metadata"].get("selected")) for each in entry["metadata"]} == {bool}


@pytest.mark.parametrize("metadata", [{}, {"metadata": None}, {"metadata": []}])
def test_a_tap_without_metadata_gets_it_for_the_stream_and_its_columns(metadata):
    document = changed(OLD)
    document["streams"][0].update(metadata)

    contacts = handed_over(document, "contacts", "!contacts.notes")["contacts"]

    assert at(contacts)["selected"] is True
    assert at(contacts, "properties", "notes") == {"selected": False}
    assert contacts["schema"]["properties"]["notes"]["selected"] is False
    assert contacts["schema"]["properties"]["owner"]["properties"]["name"]["selected"] is True
    assert contacts["schema"]["properties"]["anything"] is True


def test_a_nested_property_gets_metadata_only_where_it_does_not_follow_its_parent():
    issues = handed_over(TRACKER, "issues.labels.name")["issues"]

    breadcrumbs = [each["breadcrumb"] for each in issues["metadata"]]
    assert at(issues, "properties", "labels")["selected"] is True
    assert at(issues, "properties", "labels", "items", "properties", "color")["selected"] is False
    assert ["properties", "labels", "items", "properties", "name"] not in breadcrumbs


def test_the_replication_stands_in_both_dialects():
    orders = handed_over(SHOP, orders={"replication": "incremental", "cursor": "changed"})["shop-orders"]

    assert (at(orders)["replication-method"], at(orders)["replication-key"]) == ("INCREMENTAL", "changed")
    assert (orders["replication_method"], orders["replication_key"]) == ("INCREMENTAL", "changed")


@pytest.mark.parametrize("method", ["full_table", "log_based"])
def test_a_method_is_written_as_taps_know_it(method):
    users = handed_over(WAREHOUSE, **{"public-users": {"replication": method}})["public-users"]

    assert at(users)["replication-method"] == users["replication_method"] == method.upper()


def test_a_forced_method_stays_and_the_others_agree_with_it():
    charges = handed_over(PAYMENTS)["charges"]

    assert at(charges)["forced-replication-method"] == "INCREMENTAL"
    assert at(charges)["replication-method"] == "INCREMENTAL"
    assert at(charges)["replication-key"] == "created"


def test_nothing_is_said_about_the_replication_of_a_stream_that_says_nothing():
    owners = handed_over(OLD)["owners"]

    assert not {"replication_method", "replication_key"} & owners.keys()
    assert at(owners) == {"selected": True}


def test_a_list_of_replication_keys_stays_a_list():
    document = changed(OLD)
    document["streams"][0]["replication_key"] = ["modified", "vid"]

    assert handed_over(document)["contacts"]["replication_key"] == ["modified", "vid"]
    assert handed_over(document, contacts={"cursor": "vid"})["contacts"]["replication_key"] == "vid"


def test_a_key_that_a_person_gives_stands_wherever_a_tap_may_look():
    view = handed_over(SHOP, best_customers={"key": ("email",)})["shop-best_customers"]

    assert at(view)["view-key-properties"] == at(view)["table-key-properties"] == ["email"]
    assert view["key_properties"] == ["email"]


def test_words_that_we_do_not_know_are_handed_over():
    document = changed(TRACKER)
    document["version"] = 1
    document["streams"][0]["metadata"] += [{"breadcrumb": "odd"}, {"breadcrumb": ["x"], "metadata": {"a": 1e-38}}]
    document["streams"][0]["schema"]["properties"]["title"]["x-origin"] = {"\ud800": 9223372036854775808}

    offered = catalog(document)
    content = marked(offered, choose(offered, [], {}))

    assert without_choices(json.loads(content)) == without_choices(document)


@pytest.mark.parametrize(
    ("document", "patterns"),
    [
        (TRACKER, []),
        (TRACKER, ["issues.author.address.city", "projects.*"]),
        (TRACKER, ["*", "!issues.author.name", "!*.description"]),
        (WAREHOUSE, ["public-users", "!*.name"]),
    ],
)
def test_a_tap_of_singer_sdk_reads_the_selection_as_we_mean_it(document, patterns):
    from singer_sdk.singerlib import Catalog

    offered = catalog(document)
    choices = choose(offered, patterns, {})
    its_catalog = Catalog.from_dict(json.loads(marked(offered, choices)))

    for choice in choices:
        mask = its_catalog[choice.stream.id].metadata.resolve_selection()
        assert mask[()] is choice.selected
        for property in choice.stream.properties:
            # To it an array is one column, whatever is in it.
            if choice.selected and "items" not in property.breadcrumb:
                assert mask[property.breadcrumb] is (property.names in choice.properties)


names = st.sampled_from(["id", "name", "a.b", "*", "selected", "properties", "items", "metadata", "é"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)
offers = st.fixed_dictionaries(
    {},
    optional={
        "inclusion": st.sampled_from(["available", "automatic", "unsupported", "perhaps"]),
        "selected": st.booleans() | st.none(),
        "selected-by-default": st.booleans(),
        "x-ours": values,
    },
)
nodes: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.fixed_dictionaries({}, optional={"type": st.just("string"), "inclusion": st.just("automatic")}),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"properties": st.dictionaries(names, inner, max_size=3)}, optional={"x": values}),
        st.fixed_dictionaries({"items": inner}),
    ),
    max_leaves=6,
)
breadcrumbs = st.lists(st.sampled_from(["properties", "items", "id", "name", "a.b"]), max_size=4)
methods = st.sampled_from(["FULL_TABLE", "INCREMENTAL", "LOG_BASED", "OTHER", "", None])
roots = st.fixed_dictionaries(
    {},
    optional={
        "forced-replication-method": methods,
        "replication-method": methods,
        "replication-key": names | st.lists(names, max_size=2),
        "valid-replication-keys": st.lists(names, max_size=2),
        "table-key-properties": st.lists(names, max_size=2),
        "is-view": st.booleans(),
        "x-ours": values,
    },
)


@st.composite
def streams(draw, name):
    said = draw(st.lists(st.tuples(breadcrumbs, offers), max_size=4, unique_by=lambda each: tuple(each[0])))
    metadata = [{"breadcrumb": steps, "metadata": offer | (draw(roots) if not steps else {})} for steps, offer in said]
    entry = {
        "tap_stream_id": name,
        "schema": {"properties": draw(st.dictionaries(names, nodes, max_size=4)), "x": draw(values)},
        "metadata": draw(st.sampled_from([metadata, None])),
        "replication_method": draw(methods),
        "x": draw(values),
    }
    # A stream that cannot be read may leave nothing to select.
    for each in entry["metadata"] or ():
        if not each["breadcrumb"]:
            each["metadata"].pop("inclusion", None)
    return {key: value for key, value in entry.items() if value is not None}


documents = st.fixed_dictionaries({"streams": st.tuples(streams("one"), streams("two")), "x": values})
selections = st.sampled_from([[], ["one"], ["!two"], ["*", "!one"], ["one", "two.na*"], ["one.*"], ["!one.name"]])


@given(documents, selections)
def test_marking_loses_nothing_and_marking_again_changes_nothing(document, patterns):
    offered = read_catalog(printed(document))
    try:
        once = marked(offered, choose(offered, patterns, {}))
    except UsageError:
        reject()
    offered_again = read_catalog(once)
    twice = marked(offered_again, choose(offered_again, patterns, {}))

    assert without_choices(json.loads(once)) == without_choices(json.loads(printed(document)))
    assert json.loads(twice) == json.loads(once)


def without_choices(document):
    """A catalog without what marking may write."""
    document = copy.deepcopy(document)
    words = {"selected", "replication-method", "replication-key", "replication_method", "replication_key"}
    for entry in document["streams"]:
        for place in (
            entry,
            *(each.get("metadata", {}) for each in entry.get("metadata", ())),
            *schemas(entry["schema"]),
        ):
            for word in words & place.keys():
                del place[word]
        entry["metadata"] = [each for each in entry.get("metadata", ()) if each.get("metadata") != {}]
    return document


def schemas(schema):
    """A schema and all those inside it."""
    if isinstance(schema, dict):
        yield schema
        for inner in (*schema.get("properties", {}).values(), schema.get("items")):
            yield from schemas(inner)
