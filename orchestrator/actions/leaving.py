"""What a run leaves behind of what its tap said: its log and its archive, once more without secrets."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import msgspec

from orchestrator import durable
from orchestrator.actions.landing import Landing
from orchestrator.actions.starting import Prepared
from orchestrator.errors import BrokenMessage, OrchestratorError
from orchestrator.paths import Paths
from orchestrator.secrets import Redaction
from orchestrator.state import Run, rewrite_archive


class _Message(msgspec.Struct):
    type: Literal["RECORD", "SCHEMA", "STATE", "BATCH", "ACTIVATE_VERSION"]


_MESSAGES = msgspec.json.Decoder(_Message)


@contextmanager
def leaving_no_secret(paths: Paths, run: Run, prepared: Prepared, landing: Landing) -> Iterator[None]:
    """After the block no secret stands in the log of the tap, nor in lines of its archive that are no messages.

    A tap may tell of a new token before it writes it into its config. And what it prints between its messages is no
    data; but it is archived at full speed, so it is looked at only where there was some.
    """
    is_broken = False
    try:
        yield
    except BrokenMessage:
        is_broken = True
        raise
    finally:
        # What a full disk keeps from being scrubbed must not hide why the run ended.
        with suppress(OrchestratorError, OSError):
            if prepared.own.left:
                _scrub_log(paths.tap_log(run.flow, run.number), prepared.redaction)
            if is_broken or landing.refused:
                rewrite_archive(paths.archive(run.flow, run.number), lambda line: _scrubbed(line, prepared.redaction))


def _scrub_log(log: Path, redaction: Redaction) -> None:
    said = log.read_text(errors="replace")
    scrubbed = "\n".join(map(redaction.redact, said.split("\n")))
    if scrubbed != said:
        durable.write(log, scrubbed)


def _scrubbed(line: bytes, redaction: Redaction) -> bytes:
    try:
        _MESSAGES.decode(line)
    except msgspec.DecodeError:
        return redaction.redact(line.decode(errors="surrogateescape")).encode(errors="surrogateescape")
    return line
