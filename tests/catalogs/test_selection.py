"""Patterns choose streams and properties; what a run cannot do without stays, what a tap cannot read is left."""

import pytest

from orchestrator.catalogs import Method, choose
from orchestrator.config import StreamSettings
from orchestrator.errors import ConfigError, UnknownName, UsageError
from tests.catalogs.examples import OLD, PAYMENTS, SHOP, TRACKER, WAREHOUSE, at, catalog, changed


def chosen(document, *patterns, **settings):
    """The choices of the streams that are selected, by id."""
    choices = choose(catalog(document), patterns, {name: StreamSettings(**said) for name, said in settings.items()})
    return {choice.stream.id: choice for choice in choices if choice.selected}


def properties(choice):
    return {".".join(names) for names in choice.properties}


def document_of(*names, metadata=()):
    """A catalog with streams of these names, each with the properties id and name."""
    schema = {"properties": {"id": True, "name": True}}
    return {"streams": [{"tap_stream_id": name, "schema": schema, "metadata": [*metadata]} for name in names]}


def test_without_patterns_the_tap_decides():
    assert set(chosen(TRACKER)) == {"issues", "projects"}


def test_what_was_deselected_stays_so_whatever_the_default_is():
    document = changed(TRACKER)
    at(document["streams"][0])["selected"] = False

    assert set(chosen(document)) == {"projects"}


def test_without_patterns_everything_is_taken_of_a_tap_that_selects_nothing():
    assert set(chosen(SHOP)) == {"shop-orders", "shop-best_customers"}
    assert set(chosen(OLD)) == {"contacts", "owners"}


def test_what_a_tap_leaves_out_by_default_is_taken_when_it_is_named():
    assert set(chosen(TRACKER, "audit_events")) == {"audit_events"}
    assert chosen(TRACKER, "projects")["projects"].columns == ("id", "name")
    assert chosen(TRACKER, "projects.*")["projects"].columns == ("id", "name", "secret")
    assert chosen(TRACKER, "projects", "projects.secret")["projects"].columns == ("id", "name", "secret")


def test_a_stream_that_is_named_is_taken_and_no_other():
    assert set(chosen(TRACKER, "issues")) == {"issues"}
    assert set(chosen(TRACKER, "issues", "pro*")) == {"issues", "projects"}
    assert set(chosen(TRACKER, "*")) == {"issues", "projects", "audit_events"}


def test_a_stream_goes_by_its_id_and_by_its_name():
    assert set(chosen(SHOP, "orders")) == set(chosen(SHOP, "shop-orders")) == {"shop-orders"}


def test_a_property_brings_its_stream_and_the_keys_of_it():
    chosen_of_tracker = chosen(TRACKER, "issues.title")

    assert set(chosen_of_tracker) == {"issues"}
    assert chosen_of_tracker["issues"].columns == ("id", "project_id", "title", "updated_at")


def test_a_nested_property_brings_its_parents_but_not_its_siblings():
    issues = chosen(TRACKER, "issues.author.address.city", "issues.labels.name")["issues"]

    assert properties(issues) - {"id", "project_id", "updated_at"} == {
        "author", "author.address", "author.address.city", "labels", "labels.name"
    }  # fmt: skip


def test_a_parent_brings_what_is_in_it():
    issues = chosen(TRACKER, "issues.author")["issues"]

    assert {"author", "author.name", "author.address.city"} <= properties(issues)


def test_an_exclusion_takes_away_a_property_and_what_is_in_it():
    issues = chosen(TRACKER, "issues.*", "!issues.description", "!issues.author.address")["issues"]

    assert "description" not in issues.columns
    assert {"author", "author.id", "author.name"} <= properties(issues)
    assert not {"author.address", "author.address.city"} & properties(issues)


def test_an_exclusion_wins_wherever_it_stands():
    assert set(chosen(TRACKER, "!issues", "*")) == {"projects", "audit_events"}


def test_only_exclusions_start_from_what_the_tap_selects():
    assert set(chosen(TRACKER, "!issues")) == {"projects"}
    assert "description" not in chosen(TRACKER, "!*.description")["issues"].columns
    assert set(chosen(TRACKER, "!*.description")) == {"issues", "projects"}


def test_automatic_properties_keys_and_the_bookmark_stay():
    assert chosen(TRACKER, "!issues.*")["issues"].columns == ("id", "project_id", "updated_at")
    # Nothing marks these as automatic.
    assert chosen(OLD, "!contacts.*")["contacts"].columns == ("vid", "modified")
    assert chosen(PAYMENTS, "!charges.*")["charges"].columns == ("id", "created")
    assert chosen(OLD, "!owners", "!contacts.*", contacts={"key": ("notes",)})["contacts"].columns == (
        "vid", "modified", "notes"
    )  # fmt: skip


def test_what_a_tap_cannot_read_is_never_taken():
    assert chosen(SHOP, "orders.*")["shop-orders"].columns == ("id", "total", "changed")

    document = document_of("a", metadata=[{"breadcrumb": [], "metadata": {"inclusion": "unsupported"}}])
    document["streams"] += document_of("b")["streams"]
    assert set(chosen(document, "*")) == {"b"}


def test_an_automatic_property_goes_with_its_parent():
    document = changed(TRACKER)
    at(document["streams"][0], "properties", "author", "properties", "id")["inclusion"] = "automatic"

    assert "author.id" in properties(chosen(document, "issues.author.name")["issues"])
    assert "author.id" not in properties(chosen(document, "!issues.author")["issues"])


def test_names_with_dots_and_signs_are_taken_as_they_are():
    document = document_of("public.users", "public.orders", "a+b [c]")
    document["streams"][2]["schema"] = {"properties": {"St. Name": {}, "two\nlines": {}}}

    assert set(chosen(document, "public.*")) == {"public.users", "public.orders"}
    assert chosen(document, "public.users.name")["public.users"].columns == ("name",)
    assert chosen(document, "*.name").keys() == {"public.users", "public.orders"}
    assert chosen(document, "a+b [c].St. Name")["a+b [c]"].columns == ("St. Name",)
    assert chosen(document, "a+b [c].t*")["a+b [c]"].columns == ("two\nlines",)


@pytest.mark.parametrize(
    ("pattern", "message", "hint"),
    [
        ("isues", '"isues" matches nothing', 'did you mean "issues"?'),
        ("Issues.title", '"Issues.title" matches nothing', 'did you mean "issues.title"?'),
        ("!issues.titel", '"!issues.titel" matches nothing', 'did you mean "!issues.title"?'),
        ("issues.author.nam", '"issues.author.nam" matches nothing', 'did you mean "issues.author.name"?'),
        ("*.nowhere", '"*.nowhere" matches nothing', None),
        ("", '"" matches nothing', None),
    ],
)
def test_a_pattern_that_finds_nothing_is_an_error_with_what_was_meant(pattern, message, hint):
    with pytest.raises(UnknownName) as refused:
        chosen(TRACKER, "projects", pattern)

    assert message in refused.value.message
    assert refused.value.hint == hint


def test_the_error_names_what_there_is_but_not_thousands():
    with pytest.raises(UnknownName) as refused:
        chosen(document_of(*(f"s{number}" for number in range(500))), "users")

    assert refused.value.cause == "the streams are s0, s1, s2, s3, s4, s5, s6, s7, s8, s9 and 490 more"


def test_a_selection_of_nothing_is_an_error():
    with pytest.raises(UsageError) as refused:
        chosen(TRACKER, "issues", "!issue*")

    assert refused.value.cause == "the selection is issues !issue*"


def test_settings_say_how_a_stream_is_read():
    orders = chosen(SHOP, orders={"replication": "incremental", "cursor": "changed", "key": ("id", "total")})[
        "shop-orders"
    ]

    assert (orders.replication.method, orders.bookmark, orders.key) == (Method.INCREMENTAL, "changed", ("id", "total"))


def test_a_cursor_alone_means_incremental():
    users = chosen(WAREHOUSE, **{"public-users": {"cursor": "id"}})["public-users"]

    assert (users.replication.method, users.bookmark) == (Method.INCREMENTAL, "id")


def test_settings_may_be_for_many_streams_and_a_name_goes_before_a_pattern():
    choices = chosen(SHOP, **{"shop-*": {"replication": "log_based"}, "orders": {"replication": "full_table"}})

    assert choices["shop-best_customers"].replication.method is Method.LOG_BASED
    assert choices["shop-orders"].replication.method is Method.FULL_TABLE


def test_only_an_incremental_stream_has_a_bookmark():
    assert chosen(TRACKER)["issues"].bookmark == "updated_at"
    assert chosen(TRACKER, issues={"replication": "full_table"})["issues"].bookmark is None


def test_a_log_is_followed_by_a_column_that_no_catalog_tells_of():
    log_based = {"replication": "log_based"}

    assert chosen(SHOP, orders=log_based)["shop-orders"].replication.key == "_sdc_lsn"
    assert chosen(SHOP, orders={**log_based, "cursor": "_lsn"})["shop-orders"].replication.key == "_lsn"
    # What its rows were followed by is nothing that a log knows.
    assert chosen(TRACKER, issues=log_based)["issues"].replication.key == "_sdc_lsn"


def test_a_log_is_followed_as_the_tap_says():
    said = {"replication-method": "LOG_BASED", "replication-key": "_position"}
    document = document_of("a", metadata=[{"breadcrumb": [], "metadata": said}])

    assert chosen(document)["a"].replication.key == "_position"


def test_a_method_that_the_tap_forces_is_not_silently_overruled():
    with pytest.raises(ConfigError) as refused:
        chosen(PAYMENTS, charges={"replication": "full_table"})

    assert refused.value.message == 'stream "charges" cannot be read as full table'
    assert refused.value.cause == "the tap reads it as incremental and leaves no choice"
    assert chosen(PAYMENTS, charges={"replication": "incremental"})["charges"].bookmark == "created"


def test_incremental_needs_a_cursor_from_somewhere():
    offered = {"valid-replication-keys": ["name"]}
    document = document_of("a", metadata=[{"breadcrumb": [], "metadata": offered}])
    assert chosen(document, a={"replication": "incremental"})["a"].bookmark == "name"

    with pytest.raises(ConfigError, match="needs a cursor"):
        chosen(SHOP, orders={"replication": "incremental"})


def test_a_tap_that_forces_incremental_may_keep_its_cursor_to_itself():
    forced = {"forced-replication-method": "INCREMENTAL"}
    document = document_of("a", metadata=[{"breadcrumb": [], "metadata": forced}])

    a = chosen(document, a={"replication": "incremental"})["a"]

    assert (a.replication.method, a.bookmark) == (Method.INCREMENTAL, None)


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({"oders": {"replication": "full_table"}}, 'did you mean "orders"?'),
        ({"orders": {"cursor": "chnged"}}, 'did you mean "changed"?'),
        ({"orders": {"key": ("ID",)}}, 'did you mean "id"?'),
    ],
)
def test_settings_that_name_what_is_not_there_are_an_error(settings, hint):
    with pytest.raises(UnknownName) as refused:
        chosen(SHOP, **settings)

    assert refused.value.hint == hint
