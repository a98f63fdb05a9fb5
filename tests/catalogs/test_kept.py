"""A catalog is kept as the tap printed it, where anyone may read it."""

import stat

import pytest

from orchestrator.catalogs import keep, kept_catalog, read_catalog
from orchestrator.errors import DamagedFile
from orchestrator.paths import Paths
from tests.catalogs.examples import TRACKER, printed


def test_a_catalog_is_kept_byte_for_byte(tmp_path):
    paths = Paths(tmp_path)
    content = b"\n" + printed(TRACKER) + b"\n\n"

    keep(paths, "tracker", read_catalog(content))

    assert (tmp_path / "catalogs" / "tracker.json").read_bytes() == content
    assert stat.S_IMODE((tmp_path / "catalogs" / "tracker.json").stat().st_mode) == 0o644
    assert kept_catalog(paths, "tracker") == read_catalog(content)


def test_there_may_be_no_catalog(tmp_path):
    assert kept_catalog(Paths(tmp_path), "tracker") is None


def test_a_damaged_catalog_is_named_with_the_command_that_mends_it(tmp_path):
    paths = Paths(tmp_path)
    keep(paths, "tracker", read_catalog(printed(TRACKER)))
    paths.catalog("tracker").write_bytes(printed(TRACKER)[:100])

    with pytest.raises(DamagedFile) as damaged:
        kept_catalog(paths, "tracker")

    assert damaged.value.message == "catalogs/tracker.json is not a catalog"
    assert damaged.value.hint == "orchestrator discover tracker"
