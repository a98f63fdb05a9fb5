"""The socket of `up`: whoever may asks there; and without it everything works as well."""

import json
import os
import socket
import stat
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from orchestrator.paths import Paths
from orchestrator.schedule.answering import Answering
from orchestrator.schedule.asking import Ask, Overview, address, ask

SAID = Overview(1, "2026-01-01T00:00:00.000Z", 4, (), ())


@contextmanager
def answering(folder: Path):
    """A socket at which all questions get the same answer; what was asked is yielded."""
    paths, asked, ended = Paths(folder), [], threading.Event()

    def answer(question):
        asked.append((question.ask, question.flow))
        return SAID

    with Answering(paths) as door:

        def serve():
            while not ended.is_set():
                door.wait(0.02, answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield asked
        finally:
            ended.set()
            thread.join()


def talk(folder: Path, said: bytes) -> list[dict[str, Any]]:
    with socket.socket(socket.AF_UNIX) as caller, address(Paths(folder).up_socket) as place:
        caller.connect(place)
        caller.sendall(said)
        caller.shutdown(socket.SHUT_WR)
        with caller.makefile("rb") as answers:
            return [json.loads(line) for line in answers]


def test_a_question_is_a_line_of_json_and_so_is_its_answer(tmp_path):
    with answering(tmp_path) as asked:
        first, second = talk(tmp_path, b'{"ask": "status", "protocol": 1}\n{"ask": "look", "flow": "shop"}\n')

    assert first == second
    assert (first["protocol"], first["error"], first["overview"]["workers"]) == (1, None, 4)
    assert asked == [(Ask.STATUS, None), (Ask.LOOK, "shop")]


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (b"status\n", "this is no question: JSON is malformed"),
        (b'{"ask": "dance"}\n', "this is no question: Invalid enum value 'dance'"),
        (b'{"ask": "status", "protocol": 2}\n', "protocol 2 is not spoken here; 1 is"),
    ],
)
def test_what_is_no_question_is_answered_with_what_is_wrong(tmp_path, said, complaint):
    with answering(tmp_path) as asked:
        (answer,) = talk(tmp_path, said)

    assert complaint in answer["error"]
    assert (answer["overview"], asked) == (None, [])


def test_who_says_nothing_or_never_ends_a_line_keeps_nobody_from_asking(tmp_path):
    with answering(tmp_path), address(Paths(tmp_path).up_socket) as place:
        silent = [socket.socket(socket.AF_UNIX) for _ in range(40)]
        for caller in silent:
            caller.connect(place)
        silent[-1].sendall(b"x" * 5000)

        assert ask(Paths(tmp_path), Ask.STATUS) == SAID
        assert silent[-1].recv(1) == b"", "it was to go"
        for caller in silent:
            caller.close()


def test_the_socket_is_its_owner_s_alone_and_goes_when_it_is_closed(tmp_path):
    path = Paths(tmp_path).up_socket
    with answering(tmp_path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    assert not path.exists()
    assert ask(Paths(tmp_path), Ask.STATUS) is None


def test_one_that_was_left_by_a_killed_process_is_replaced(tmp_path):
    path = Paths(tmp_path).up_socket
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    assert ask(Paths(tmp_path), Ask.STATUS) is None

    with answering(tmp_path):
        assert ask(Paths(tmp_path), Ask.STATUS) == SAID


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no other name for a long path")
def test_a_path_may_be_longer_than_the_address_of_a_socket(tmp_path):
    folder = tmp_path / ("x" * 100) / ("y" * 100)
    with answering(folder):
        assert ask(Paths(folder), Ask.STATUS) == SAID


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_another_user_is_not_heard_even_where_the_folder_is_open_to_all():
    with TemporaryDirectory() as folder, answering(Path(folder)) as asked:
        path = Paths(Path(folder)).up_socket
        for each in (path, path.parent, Path(folder)):
            each.chmod(0o777)
        heard = subprocess.run([sys.executable, "-ISc", AS_NOBODY, path], capture_output=True, text=True)

    assert heard.stdout == "b''\n", heard.stderr
    assert asked == []


AS_NOBODY = """
import os, socket, sys
os.setuid(65534)
caller = socket.socket(socket.AF_UNIX)
caller.settimeout(5)
caller.connect(sys.argv[1])
print(caller.recv(1))
"""
