"""Brings a message to an address, by apprise: to chat, to mail, to a web server. It may take long, and fail."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.notices.wording import Message

PATIENCE = 20.0
"""Seconds that a service has to take a message."""


class NotSent(Exception):
    """Nobody took the message; the text says why, and may quote the address."""


def send(address: str, message: Message, *, patience: float = PATIENCE) -> None:
    """Returns once the service has taken the message. Raises NotSent.

    A service that hangs is left behind in a thread, which ends with the process at the latest.
    """
    failure: list[str] = ["it did not answer in time"]

    def bring() -> None:
        failure[:] = _bring(address, message)

    thread = threading.Thread(target=bring, name="notice", daemon=True)
    thread.start()
    thread.join(patience)
    if failure:
        raise NotSent(failure[0])


def _bring(address: str, message: Message) -> list[str]:
    """Why it was not taken; nothing if it was."""
    # It takes a quarter of a second to import, and only who sends needs it.
    import apprise

    service = apprise.Apprise(asset=apprise.AppriseAsset(storage_mode="memory"))
    try:
        with _listening() as said:
            if not service.add(address):
                return ["this is no address that apprise understands"]
            if service.notify(title=message.title, body=message.body, body_format=apprise.NotifyFormat.TEXT):
                return []
            return [said[-1] if said else "the service did not take it"]
    except Exception as error:
        # What a plugin of some service raises, nobody knows.
        return [f"{type(error).__name__}: {error}"]


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Yields what apprise complains of. It says so in its log, which nobody else is to see: it may quote an address."""
    said: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    logger, ear = logging.getLogger("apprise"), Ear(logging.WARNING)
    logger.addHandler(ear)
    before, logger.propagate = logger.propagate, False
    try:
        yield said
    finally:
        logger.removeHandler(ear)
        logger.propagate = before
