"""A scheduled run: a process of its own, which goes on when the one that started it is gone."""

import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from orchestrator.state import Failure


class Child:
    """`orchestrator run FLOW --scheduled TIME`, at work."""

    def __init__(self, root: Path, flow: str, due: datetime, *, says_json: bool = False) -> None:
        """What it says is dropped, or goes to our stderr as lines of JSON."""
        self.flow, self.due, self.started = flow, due, datetime.now(UTC)
        self._said = b""
        # It is open for as long as the child is at work.
        self._answer = tempfile.TemporaryFile()  # noqa: SIM115
        command = [sys.executable, "-P", "-m", "orchestrator", "run", flow, "--workspace", str(root)]
        self._process = subprocess.Popen(
            [*command, "--scheduled", due.isoformat(), "--json", "--no-input", "--log-format", "json"],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=self._answer,
            stderr=None if says_json else subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it is at work; negative for one that a signal ended."""
        exit_code = self._process.poll()
        if exit_code is not None and not self._answer.closed:
            self._answer.seek(0)
            self._said = self._answer.read()
            self._answer.close()
        return exit_code

    def ask_to_stop(self) -> None:
        """Asks it to stop after its next commit."""
        self._process.terminate()

    def failure(self) -> Failure:
        """Why it ended without having begun a run, in its own words."""
        try:
            answer = msgspec.json.decode(self._said)
            error = answer.get("error") or answer["runs"][0]["error"]
            return msgspec.convert({key: error.get(key) for key in ("message", "cause", "data", "hint")}, Failure)
        except (msgspec.MsgspecError, LookupError, AttributeError, TypeError):
            return Failure(f"orchestrator run {self.flow} ended with exit code {self.exit_code()}, and said nothing")
