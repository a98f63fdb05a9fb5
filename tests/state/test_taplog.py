"""What a tap said, read back, and read along while it speaks."""

import threading

import pytest

from orchestrator import durable
from orchestrator.errors import UnknownName
from orchestrator.state import Runs, read_log


@pytest.fixture
def runs(paths):
    return Runs(paths, "shop")


def begin(runs):
    return runs.begin(tap="gitlab", package="tap-gitlab", destination="warehouse")


def test_the_log_comes_line_by_line_and_its_torn_end_too(paths, runs):
    runs.end(begin(runs))
    paths.tap_log("shop", 1).write_bytes("INFO größer\r\n\nbroken \xff".encode("latin-1"))

    assert list(read_log(paths, "shop", 1)) == ["INFO gr\ufffd\ufffder", "", "broken \ufffd"]


def test_a_tap_that_said_nothing_has_an_empty_log(paths, runs):
    runs.end(begin(runs))

    assert list(read_log(paths, "shop", 1, follow=True)) == []


def test_the_log_of_a_run_that_does_not_exist_is_an_error(paths):
    with pytest.raises(UnknownName):
        list(read_log(paths, "shop", 1))


def test_a_log_read_while_its_run_lasts_ends_where_it_is(paths, runs):
    with durable.lock(paths.running("shop")):
        begin(runs)
        paths.tap_log("shop", 1).write_text("one\ntw")

        assert list(read_log(paths, "shop", 1)) == ["one", "tw"]


def test_following_a_log_gives_every_line_whole_and_ends_with_the_run(paths, runs):
    heard: list[str] = []

    def listen():
        heard.extend(read_log(paths, "shop", 1, follow=True))

    with durable.lock(paths.running("shop")):
        run = begin(runs)
        listener = threading.Thread(target=listen)
        listener.start()
        # The listener comes before the log is there; between the two parts it looks at least once.
        listener.join(0.3)
        with paths.tap_log("shop", 1).open("w") as log:
            for part in ("one\ntw", "o\nthree\nlast wo"):
                log.write(part)
                log.flush()
                listener.join(0.3)
            assert listener.is_alive()
            log.write("rds")
        runs.end(run)
        listener.join(5)

    assert heard == ["one", "two", "three", "last words"]
