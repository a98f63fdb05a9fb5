"""Which taps could be newer is told without installing anything."""

from orchestrator.actions.add_tap import add_tap
from orchestrator.actions.outdated import TapOutdated, outdated
from orchestrator.config import editing
from tests.packages.index import project_in


def test_beside_what_is_locked_stand_what_may_be_and_what_there_is(shop, index):
    index.add("tap-shapes", "1.0")
    index.add("tap-forms", "1.0")
    add_tap(shop, "tap-shapes>=1,<3")
    add_tap(shop, "tap-forms")
    for version in ("2.0", "3.0"):
        index.add("tap-shapes", version)
    before = shop.lock("shapes").read_text()

    shapes, forms = outdated(shop)

    assert shapes == TapOutdated("shapes", "tap-shapes", "1.0", "2.0", "3.0")
    assert forms == TapOutdated("forms", "tap-forms", "1.0", "1.0", "1.0")
    assert (shapes.is_outdated, forms.is_outdated) == (True, False)
    assert shop.lock("shapes").read_text() == before


def test_a_date_keeps_what_is_allowed_back_and_not_what_there_is(shop, served_index):
    index = served_index
    index.add("tap-shapes", "1.0", released="2020-01-01")
    index.add("tap-shapes", "2.0", released="2022-01-01")
    add_tap(shop, "tap-shapes", exclude_newer="2021-01-01")

    (shapes,) = outdated(shop)

    assert (shapes.version, shapes.allowed, shapes.newest) == ("1.0", "1.0", "2.0")


def test_only_what_comes_from_an_index_and_has_its_own_environment_is_looked_up(shop, index):
    index.add("tap-shapes")
    add_tap(shop, "tap-shapes")
    add_tap(shop, str(project_in(shop.root / "taps" / "mine")))
    editing.add_tap(shop.config, "shapes-eu", {"inherit": "shapes"})

    assert [each.id for each in outdated(shop)] == ["shapes"]
