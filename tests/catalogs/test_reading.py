"""A catalog says the same in either dialect, and what is no catalog is said to be none."""

import json

import pytest

from orchestrator.catalogs import Inclusion, Method, NotACatalog, Replication, read_catalog
from tests.catalogs.examples import OLD, PAYMENTS, SHOP, TRACKER, WAREHOUSE, at, catalog, changed


def stream(document, number=0):
    return catalog(document).streams[number]


def replication_of(root=None, **entry):
    """How a stream is read whose metadata says `root` and which says `entry` itself."""
    entry |= {"stream": "users", "metadata": [{"breadcrumb": [], "metadata": root or {}}]}
    return stream({"streams": [entry]}).replication


def test_a_stream_is_read_from_metadata():
    issues = stream(TRACKER)

    assert (issues.id, issues.name, issues.key) == ("issues", "issues", ("id", "project_id"))
    assert issues.replication == Replication(Method.INCREMENTAL, "updated_at", None, ("updated_at",))
    assert issues.offer.selected is True


def test_a_stream_is_read_from_the_old_dialect():
    contacts, owners = catalog(OLD).streams

    assert (contacts.key, contacts.replication.key) == (("vid",), "modified")
    assert contacts.properties[0].offer.inclusion is Inclusion.AUTOMATIC
    assert (owners.id, owners.name, owners.properties) == ("owners", "owners", ())


def test_a_view_has_the_key_that_it_was_given():
    document = changed(SHOP)
    at(document["streams"][1]).update({"table-key-properties": [], "view-key-properties": ["email"]})

    assert stream(document, 1).key == ("email",)


def test_properties_are_known_at_every_depth_under_the_names_a_person_types():
    assert [str(property) for property in stream(TRACKER).properties] == [
        "id", "project_id", "title", "description", "updated_at",
        "author", "author.id", "author.name", "author.address", "author.address.city",
        "labels", "labels.name", "labels.color",
    ]  # fmt: skip


def test_a_property_that_only_metadata_knows_is_known():
    document = changed(WAREHOUSE)
    document["streams"][0]["metadata"].append({"breadcrumb": ["properties", "late"], "metadata": {"selected": False}})

    late = stream(document).properties[-1]

    assert (str(late), late.offer.selected) == ("late", False)


def test_properties_may_be_called_properties_and_items():
    schema = {"properties": {"properties": {"properties": {"items": {"items": {"properties": {"id": True}}}}}}}

    found = stream({"streams": [{"stream": "s", "schema": schema}]}).properties

    assert [str(property) for property in found] == ["properties", "properties.items", "properties.items.id"]


def test_the_messages_of_a_table_may_bear_its_name_with_schema_or_database():
    assert {"shop-orders", "orders", "shop_orders"} <= stream(SHOP).aliases
    assert "public-users" in stream(WAREHOUSE).aliases


@pytest.mark.parametrize(
    ("root", "entry", "method", "key"),
    [
        ({"forced-replication-method": "FULL_TABLE"}, {"replication_method": "INCREMENTAL"}, Method.FULL_TABLE, None),
        ({"replication-method": "LOG_BASED"}, {}, Method.LOG_BASED, None),
        ({"replication-key": "at"}, {"replication_key": "other"}, Method.INCREMENTAL, "at"),
        ({"replication-key": ["at", "id"]}, {}, Method.INCREMENTAL, "at"),
        ({"forced-replication-method": "INCREMENTAL", "valid-replication-keys": ["at"]}, {}, Method.INCREMENTAL, "at"),
        ({"valid-replication-keys": ["at"]}, {}, None, None),
        ({"replication-method": "SOMETIMES"}, {"replication_method": ""}, None, None),
    ],
)
def test_the_replication_is_what_the_tap_says_in_either_dialect(root, entry, method, key):
    replication = replication_of(root, **entry)

    assert (replication.method, replication.key) == (method, key)


def test_a_database_table_without_a_method_is_read_whole_and_any_other_stream_as_the_tap_likes():
    assert stream(SHOP).replication.method is Method.FULL_TABLE
    assert stream(WAREHOUSE).replication.method is Method.FULL_TABLE
    assert stream(OLD, 1).replication.method is None


def test_only_a_forced_method_leaves_no_choice():
    assert stream(PAYMENTS).replication.forced is Method.INCREMENTAL
    assert stream(TRACKER).replication.forced is None
    assert stream(WAREHOUSE).replication.forced is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"  \n", "it is empty"),
        (b"INFO starting\n{}", "it is not JSON"),
        (b"\xff\xff", "it is not JSON"),
        (b"{}", 'it has no list of "streams"'),
        (b"[]", 'it has no list of "streams"'),
        (b'{"streams": {}}', 'it has no list of "streams"'),
        (b'{"streams": [{"stream": "a"}, {"schema": {}}]}', "stream 2 has no tap_stream_id"),
        (b'{"streams": [{"stream": "a", "schema": "no"}]}', 'the schema of stream "a" is not an object'),
        (b'{"streams": [{"stream": "a", "metadata": {"x": 1}}]}', 'the metadata of stream "a" is not a list'),
    ],
)
def test_what_is_no_catalog_is_refused_with_a_reason(content, reason):
    with pytest.raises(NotACatalog) as refused:
        read_catalog(content)

    assert reason in str(refused.value)


def test_a_catalog_may_offer_nothing():
    assert read_catalog(json.dumps({"streams": []}).encode()).streams == ()
