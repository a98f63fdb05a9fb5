"""Lines and records that cannot land, and why."""

from dataclasses import dataclass

from orchestrator.errors import BadRecord, BrokenMessage, RunFailed

NO_LOGS = "a tap prints only Singer messages on stdout; its logs belong on stderr"


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a line or a record; `cause` and `hint` are those of an error."""

    reason: str
    cause: str | None = None
    hint: str | None = None


class Unfit(Exception):
    """A line has a flaw."""

    def __init__(self, reason: str, cause: str | None = None) -> None:
        super().__init__(reason)
        self.flaw = Flaw(reason, cause)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that cannot land.

    `line` is its number, or that of the BATCH in whose file it stands; `stream` is None unless it is a record of one;
    `text` is the line as it came.
    """

    line: int
    stream: str | None
    text: bytes
    flaw: Flaw

    @property
    def reason(self) -> str:
        """What is wrong with it, in one line."""
        return f"{self.flaw.reason}: {self.flaw.cause}" if self.flaw.cause else self.flaw.reason

    def error(self) -> RunFailed:
        """What ends a run that takes no such line."""
        flaw, data = self.flaw, "nothing after the last commit was kept"
        if self.stream is not None:
            message = f"{self.stream}, line {self.line}: {flaw.reason}"
            return BadRecord(message, cause=flaw.cause, data=data, hint=flaw.hint)
        message = f"line {self.line}: {flaw.reason}"
        return BrokenMessage(message, cause=flaw.cause, data=data, hint=flaw.hint, said=self.text)
