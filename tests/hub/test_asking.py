"""The hub is asked by name, remembers nothing of who asks, and what it said last serves while it is away."""

import pytest

from orchestrator.errors import HubUnavailable, UnknownName
from orchestrator.events import Note
from orchestrator.hub.asking import Index
from tests.hub.served import served_hub


@pytest.fixture
def hub():
    with served_hub() as hub:
        hub.add("tap-shapes", "ada", pip_url="tap-shapes")
        hub.add("tap-shapes", "bob", pip_url="bobs-tap-shapes")
        hub.add("tap-colours", "ada", pip_url="tap-colours")
        yield hub


@pytest.fixture
def index(hub, tmp_path):
    return Index(hub.url, cache=tmp_path / "cache")


def test_a_tap_is_found_by_its_very_name_in_the_recommended_variant_or_another(index):
    assert index.entry("tap-shapes").package == "tap-shapes"
    assert index.entry("tap-shapes", "bob").package == "bobs-tap-shapes"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("shapes", 'did you mean "tap-shapes"?'),
        ("tap-shape", 'did you mean "tap-shapes"?'),
        ("tap-xyzzy", "orchestrator taps search xyzzy"),
    ],
)
def test_a_name_that_is_near_is_named_and_not_taken(index, hub, name, hint):
    with pytest.raises(UnknownName) as unknown:
        index.entry(name)

    assert unknown.value.hint == hint
    assert [path for path, _ in hub.asked] == ["/index"]


def test_a_variant_that_is_not_there_is_told_with_those_that_are(index):
    with pytest.raises(UnknownName, match='knows no variant "bobb" of tap-shapes') as unknown:
        index.entry("tap-shapes", "bobb")

    assert (unknown.value.cause, unknown.value.hint) == ("there are ada, bob", 'did you mean "bob"?')


def test_an_answer_that_still_holds_is_not_sent_again_and_another_one_takes_its_place(index, hub):
    index.taps()
    index.taps()
    hub.add("tap-sounds", "ada")

    assert [tap.name for tap in index.taps()] == ["tap-colours", "tap-shapes", "tap-sounds"]
    assert [status for _, status in hub.asked] == [200, 304, 200]


def test_what_the_hub_said_last_serves_while_it_is_away(tmp_path):
    notes: list[str] = []
    with served_hub() as hub:
        hub.add("tap-shapes", "ada", pip_url="tap-shapes")
        index = Index(
            hub.url,
            cache=tmp_path,
            listen=lambda event: notes.append(event.text) if isinstance(event, Note) else None,
        )
        index.entry("tap-shapes")

    assert index.entry("tap-shapes").package == "tap-shapes"
    assert len(notes) == 2
    assert notes[0].startswith(f"{hub.url} cannot be reached; this is what it said on 20")


def test_a_hub_that_was_never_reached_says_how_to_do_without_it(tmp_path):
    with served_hub() as hub:
        pass

    with pytest.raises(HubUnavailable) as away:
        Index(hub.url, cache=tmp_path).taps()

    assert "refused" in (away.value.cause or "")
    assert away.value.hint == "a package can be added without the hub: orchestrator add-tap PACKAGE"


def test_an_answer_that_is_no_index_is_an_error_and_not_remembered(index, hub):
    hub.broken = True
    with pytest.raises(HubUnavailable, match="does not answer as an index of taps does"):
        index.taps()

    hub.broken = False
    assert len(index.taps()) == 2


def test_an_address_with_nothing_at_it_is_told(hub, tmp_path):
    with pytest.raises(HubUnavailable, match="there is no index of taps at"):
        Index(f"{hub.url}/elsewhere", cache=tmp_path).taps()
