"""Locks are held against published vulnerabilities; a feed that does not answer is not taken for good news."""

import pytest

from orchestrator.actions.add_tap import add_tap
from orchestrator.actions.audit import audit_taps
from orchestrator.config import editing
from orchestrator.envs.audit import Vulnerability
from orchestrator.errors import CannotAudit, NotInstalled

PIP_AUDIT = """
import json, sys

def main():
    options = dict(zip(sys.argv[1::1], sys.argv[2::1]))
    service = options["--vulnerability-service"]
    answers = {!r}
    if service not in answers:
        sys.exit("requests.exceptions.ConnectionError: no way to " + service)
    pins = [line.strip().split("==") for line in open(options["--requirement"])]
    known = [answers[service].get(name, {{"vulns": []}}) for name, _ in pins]
    dependencies = [dict(each, name=name, version=version) for (name, version), each in zip(pins, known)]
    with open(options["--output"], "w") as report:
        json.dump({{"dependencies": dependencies, "fixes": []}}, report)
    sys.exit(any(each.get("vulns") for each in dependencies))
"""
"""Speaks as pip-audit does; `answers` are by service and package."""

KNOWN = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["3.1"], "description": "corners are sharp"}
UNKNOWN = {"skip_reason": "Dependency not found on PyPI and could not be audited"}


@pytest.fixture
def added(shop, index):
    """A workspace with a tap that depends on shapes-of-old."""
    index.add("shapes-of-old", "3.0", commands=[])
    index.add("tap-shapes", requires=["shapes-of-old"])
    add_tap(shop, "tap-shapes")
    return shop


def feeds(index, **answers: object) -> None:
    index.add("pip-audit", source=PIP_AUDIT.format(answers))


def test_what_is_known_of_a_locked_version_is_told_with_the_version_that_mends_it(added, index):
    feeds(index, pypi={"shapes-of-old": {"vulns": [KNOWN]}})

    (audited,) = audit_taps(added)

    assert (audited.id, audited.packages) == ("shapes", 2)
    assert audited.vulnerabilities == (Vulnerability("shapes-of-old", "3.0", "PYSEC-1", ("CVE-1",), ("3.1",)),)


def test_nothing_known_is_good_news(added, index):
    feeds(index, pypi={})

    (audited,) = audit_taps(added, ["shapes"])

    assert audited.vulnerabilities == ()


BLIND = {"pypi": {"shapes-of-old": UNKNOWN, "tap-shapes": UNKNOWN}}


@pytest.mark.parametrize("pypi", [{}, BLIND], ids=["down", "blind"])
def test_a_feed_that_does_not_answer_gives_way_to_the_other(added, index, pypi):
    feeds(index, **pypi, osv={"shapes-of-old": {"vulns": [KNOWN]}})

    (audited,) = audit_taps(added)

    assert [each.id for each in audited.vulnerabilities] == ["PYSEC-1"]


def test_when_no_feed_answers_that_is_an_error_and_not_a_clean_record(added, index):
    feeds(index, **BLIND)

    with pytest.raises(CannotAudit, match="no feed of known vulnerabilities can be reached") as raised:
        audit_taps(added)

    assert raised.value.cause == (
        "pypi: it knows none of the packages; osv: requests.exceptions.ConnectionError: no way to osv"
    )


def test_a_tap_that_was_never_locked_is_told(shop, index):
    editing.add_tap(shop.config, "shapes", {"package": "tap-shapes"})

    assert audit_taps(shop) == ()
    with pytest.raises(NotInstalled, match='tap "shapes" has no lock yet'):
        audit_taps(shop, ["shapes"])
