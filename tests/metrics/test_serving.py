"""The numbers of a workspace over HTTP."""

import json
import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from orchestrator.actions.measure import Kind, Measure, Sample
from orchestrator.errors import DamagedFile, UsageError
from orchestrator.metrics.serving import address_of, serving
from tests.schedule.test_up import said, up
from tests.workspaces import FakeWorkspace, wait_until

ANY_PORT = ("127.0.0.1", 0)


def get(url):
    with urllib.request.urlopen(url) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def test_each_who_asks_gets_the_numbers_of_the_moment():
    counts = iter(range(1, 10))

    def measures():
        return [Measure("x_total", Kind.COUNTER, "x", (), (Sample((), next(counts)),))]

    with serving(ANY_PORT, measures) as place:
        kind, first = get(place)
        _, second = get(place)

    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    assert ("x_total 1.0\n" in first, "x_total 2.0\n" in second) == (True, True)


def test_what_cannot_be_measured_and_what_is_not_there_is_said():
    def broken():
        raise DamagedFile("it is damaged")

    with serving(ANY_PORT, broken) as place:
        for url, code in ((place, 503), (place.replace("/metrics", "/"), 404)):
            with pytest.raises(urllib.error.HTTPError) as refused, urllib.request.urlopen(url):
                pass
            assert refused.value.code == code
            refused.value.close()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("9464", ("127.0.0.1", 9464)),
        ("0", ("127.0.0.1", 0)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        ("[::1]:9464", ("::1", 9464)),
        (":9464", ("127.0.0.1", 9464)),
    ],
)
def test_it_listens_on_this_machine_alone_unless_somebody_says_otherwise(text, address):
    assert address_of(text) == address


@pytest.mark.parametrize("text", ["http", "127.0.0.1", "70000", "a:b", ""])
def test_what_is_no_port_is_refused(text):
    with pytest.raises(UsageError, match="is no port or address"):
        address_of(text)


def test_a_port_that_is_taken_is_an_error():
    with serving(ANY_PORT, list) as place:
        port = int(place.rpartition(":")[2].partition("/")[0])

        with pytest.raises(UsageError, match=f"nothing can listen on port {port}"), serving(("127.0.0.1", port), list):
            pass


def test_up_serves_them_for_as_long_as_it_is_up(tmp_path):
    shop = FakeWorkspace(tmp_path)
    shop.source(issues={"rows": 3})
    shop.settle(schedule={"every": "1 s"})
    with up(shop, "--metrics", "0", "--workers", "3"):
        wait_until(lambda: "Metrics at " in said(shop))
        place = said(shop).partition("Metrics at ")[2].split()[0]
        wait_until(lambda: 'orchestrator_runs_total{flow="shop",status="succeeded"} 1' in get(place)[1])
        families = {family.name: family for family in text_string_to_metric_families(get(place)[1])}

    assert families["orchestrator_up"].samples[0].value == 1
    assert families["orchestrator_workers"].samples[0].value == 3
    assert families["orchestrator_committed_rows"].samples[0].value == 3
    with pytest.raises(urllib.error.URLError):
        get(place)


def test_the_command_prints_the_same(orchestrator, shop):
    shop.run()

    printed = orchestrator("metrics")

    assert 'orchestrator_committed_rows_total{flow="shop",stream="issues"} 3.0\n' in printed.out
    named = {each["name"]: each for each in json.loads(orchestrator("metrics", "--json").out)["measures"]}
    assert named["orchestrator_committed_rows_total"]["samples"][0]["value"] == 3
