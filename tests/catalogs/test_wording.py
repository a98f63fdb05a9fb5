"""A selection can be said in patterns, and what they say is the selection."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.catalogs import choose, patterns_of, read_catalog
from orchestrator.errors import UsageError
from tests.catalogs.examples import ALL, SHOP, TRACKER, catalog, printed
from tests.catalogs.test_selection import document_of


def said(document, *patterns):
    """The patterns for what some patterns come to."""
    return patterns_of(choose(catalog(document), patterns, {}))


def test_a_selection_is_said_by_its_streams_and_their_exceptions():
    assert said(TRACKER) == ("issues", "projects")
    assert said(TRACKER, "*", "!issues.description") == ("issues", "!issues.description", "projects", "audit_events")
    assert said(TRACKER, "projects.*") == ("projects", "projects.secret")
    assert said(TRACKER, "issues", "!issues.author") == ("issues", "!issues.author")
    assert said(TRACKER, "issues", "!issues.author.address.city") == ("issues", "!issues.author.address.city")


def test_what_a_run_cannot_do_without_is_not_worth_a_word():
    assert said(TRACKER, "issues", "!issues.id", "!issues.updated_at") == ("issues",)
    assert said(SHOP, "shop-orders", "!shop-orders.shape") == ("shop-orders",)


offers = st.fixed_dictionaries(
    {},
    optional={
        "inclusion": st.sampled_from(["available", "automatic", "unsupported"]),
        "selected": st.booleans(),
        "selected-by-default": st.booleans(),
    },
)
nodes: st.SearchStrategy[dict[str, object]] = st.recursive(
    offers,
    lambda inner: st.builds(
        lambda offer, below: offer | {"properties": below}, offers, st.dictionaries(st.sampled_from("xyz"), inner)
    ),
    max_leaves=5,
)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), nodes), min_size=1, max_size=3), st.data())
def test_the_patterns_of_a_selection_come_to_the_selection(schemas, data):
    document = document_of(*(f"s{number}" for number in range(len(schemas))))
    for entry, properties in zip(document["streams"], schemas, strict=True):
        entry["schema"] = {"properties": properties}
    offered = read_catalog(printed(document))
    choices = choose(offered, [], {})
    wanted = [_without_some(choice, data) for choice in choices]

    again = choose(offered, patterns_of(wanted), {})

    assert [choice.properties for choice in again] == [choice.properties for choice in wanted]
    assert [choice.selected for choice in again] == [choice.selected for choice in wanted]


def _without_some(choice, data):
    """The choice without some of the properties that can be left out, and what is in them."""
    offers = {property.names: property.offer.inclusion for property in choice.stream.properties}
    free = sorted(names for names in choice.properties if offers[names] == "available")
    dropped = data.draw(st.sets(st.sampled_from(free))) if free else set()
    kept = {
        names for names in choice.properties if not any(names[:depth] in dropped for depth in range(1, len(names) + 1))
    }
    return replace(choice, properties=frozenset(kept))


@pytest.mark.parametrize("name", ALL)
def test_the_patterns_of_the_default_come_to_the_default(name):
    offered = catalog(ALL[name])
    try:
        choices = choose(offered, [], {})
    except UsageError:
        pytest.skip("it offers nothing")

    assert choose(offered, patterns_of(choices), {}) == choices
