"""`discover` keeps what a tap offers and tells what changed; an answer that is no catalog changes nothing."""

import pytest

from orchestrator.actions.discover import discover
from orchestrator.config import Tap
from orchestrator.errors import SilentTap
from orchestrator.paths import Paths
from tests.catalogs.examples import TRACKER, changed, printed

TAP = Tap(id="tracker", package="tap-tracker", environment="tracker")


@pytest.fixture
def paths(tmp_path):
    return Paths(tmp_path)


def test_the_first_discovery_keeps_the_catalog(paths):
    discovered = discover(paths, TAP, lambda: printed(TRACKER))

    assert paths.catalog("tracker").read_bytes() == printed(TRACKER)
    assert [stream.id for stream in discovered.streams] == ["issues", "projects", "audit_events"]
    assert (discovered.is_first, discovered.changes) == (True, ())


def test_the_next_discovery_tells_what_changed(paths):
    document = changed(TRACKER)
    del document["streams"][0]["schema"]["properties"]["description"]
    document["streams"][0]["metadata"] = document["streams"][0]["metadata"][-1:]
    discover(paths, TAP, lambda: printed(TRACKER))

    discovered = discover(paths, TAP, lambda: printed(document))

    assert [str(change) for change in discovered.changes] == ["issues.description is gone"]
    assert not discovered.is_first
    assert paths.catalog("tracker").read_bytes() == printed(document)


@pytest.mark.parametrize("answer", [b"", b"Usage: tap-tracker [OPTIONS]", b"{}"])
def test_a_tap_that_prints_no_catalog_leaves_the_one_before(paths, answer):
    discover(paths, TAP, lambda: printed(TRACKER))

    with pytest.raises(SilentTap, match='tap "tracker" did not print a catalog'):
        discover(paths, TAP, lambda: answer)

    assert paths.catalog("tracker").read_bytes() == printed(TRACKER)


def test_a_tap_that_offers_no_stream_leaves_the_catalog_before(paths):
    discover(paths, TAP, lambda: printed(TRACKER))

    with pytest.raises(SilentTap, match='tap "tracker" offers no stream'):
        discover(paths, TAP, lambda: printed({"streams": []}))

    assert paths.catalog("tracker").read_bytes() == printed(TRACKER)


def test_discovery_mends_a_damaged_catalog(paths):
    discover(paths, TAP, lambda: printed(TRACKER))
    paths.catalog("tracker").write_bytes(b"{")

    discover(paths, TAP, lambda: printed(TRACKER))

    assert paths.catalog("tracker").read_bytes() == printed(TRACKER)
