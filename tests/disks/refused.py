"""What becomes of a run when its disk refuses: how it ends, what is there then, and what the next one brings."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.disk import volume
from orchestrator.errors import OrchestratorError
from tests.faults.oracle import Oracle


@dataclass(frozen=True, slots=True)
class Refused:
    """`met` is whether the run met the refusal at all; `violation` is what does not hold, None if everything does."""

    how: str
    met: bool
    violation: str | None = None

    def checked(self, oracle: Oracle) -> "Refused":
        """The same, once the disk takes what is written again and another run has ended."""
        if self.violation:
            return self
        try:
            found = oracle.after_a_fault()
            oracle.workspace.run()
            found += oracle.after_a_run()
        except Exception as error:
            return replace(self, violation=f"{type(error).__name__}: {error}")
        return replace(self, violation=str(found[0])) if found else self


def refused(how: str, run: Callable[[], object], place: Path) -> Refused:
    """A run whose disk, on which `place` is, refuses."""
    try:
        run()
    except OrchestratorError as error:
        return judged(how, error.exit_code, error.message, place)
    except Exception as error:
        return Refused(how, True, f"{type(error).__name__}: {error}")
    return Refused(how, False)


def judged(how: str, exit_code: int, message: str, place: Path) -> Refused:
    """What a run said that ended so."""
    if exit_code != 7:
        return Refused(how, True, f"exit code {exit_code}: {message}")
    if str(volume(place)) not in message:
        return Refused(how, True, f"the volume {volume(place)} is not named: {message}")
    return Refused(how, True)
