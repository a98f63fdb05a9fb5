"""A message on its way to a service, and services that do not take it."""

import pytest

from orchestrator.notices.sending import NotSent, send
from orchestrator.notices.wording import Message

MESSAGE = Message("shop failed", "Run 3 ended with exit code 1.\norchestrator runs show shop 3")


def refusal(address, **options):
    with pytest.raises(NotSent) as refused:
        send(address, MESSAGE, **options)
    return str(refused.value)


def test_a_message_arrives_as_it_is_written(service):
    send(service.address, MESSAGE)

    (taken,) = service.taken
    assert (taken["title"], taken["message"]) == (MESSAGE.title, MESSAGE.body)


def test_a_service_that_answers_with_an_error_has_not_taken_it(service, capfd):
    service.answer = 500

    assert "500" in refusal(service.address)
    assert capfd.readouterr() == ("", "")


def test_a_service_that_is_not_there_has_not_taken_it(service):
    service.stop()

    assert "Connection error" in refusal(service.address)


def test_a_service_that_hangs_is_not_waited_for(service):
    service.answer = 0

    assert refusal(service.address, patience=0.5) == "it did not answer in time"


@pytest.mark.parametrize("address", ["slack://nothing", "carrier-pigeon://loft", "https://example.com/x"])
def test_what_is_no_address_is_told(address):
    assert refusal(address) == "this is no address that apprise understands"
