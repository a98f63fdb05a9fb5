"""The first signal asks for a good moment to stop, the second one stops where the work stands."""

import os
import signal
import threading

import pytest

from orchestrator.errors import Stopped
from orchestrator.supervisor.stopping import Stop


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_one_stops(number):
    stop = Stop()

    with stop.on_signals():
        assert not stop
        os.kill(os.getpid(), signal.SIGINT)
        assert stop
        assert stop.signal == signal.SIGINT
        with pytest.raises(Stopped) as stopped:
            os.kill(os.getpid(), number)

    assert stopped.value.exit_code == 128 + number


def test_a_program_may_ask_like_a_signal_does():
    stop = Stop()
    stop.ask()

    assert stop.signal == signal.SIGTERM
    with stop.on_signals(), pytest.raises(Stopped):
        os.kill(os.getpid(), signal.SIGTERM)


def test_afterwards_signals_do_what_they_did_before():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    with Stop().on_signals():
        assert signal.getsignal(signal.SIGINT) != before[0]

    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_beside_the_main_thread_signals_are_left_alone():
    heard = []

    def work():
        with Stop().on_signals():
            heard.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert heard == [signal.getsignal(signal.SIGTERM)]
