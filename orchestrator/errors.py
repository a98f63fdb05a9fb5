"""Every error a person can meet, drawn as a tree. Each one names the thing and offers the next move.

OrchestratorError                     exit code
├── UsageError                        2   what was typed cannot be done
│   ├── NoWorkspace                       no orchestrator.toml here or above
│   ├── ConfigError                       orchestrator.toml says something that cannot be meant
│   └── UnknownName                       a tap, flow, stream, run or commit that does not exist
├── CredentialsError                  4   a secret is missing or was refused
├── AlreadyRunning                    5   another process holds this flow
├── DestinationError                  7   the destination cannot be used
│   ├── DestinationBusy                   somebody else held it for too long
│   ├── DestinationFull                   no space left
│   ├── DiskFailed                        a disk does not take what is written to it
│   └── CommitConflict                    somebody else committed to the same flow
├── EnvironmentBroken                 8   the environment of a tap cannot be used
│   ├── CannotResolve                     no set of versions satisfies the requirement
│   ├── CannotBuild                       resolved, but an installation step failed
│   ├── DoesNotStart                      installed, but the tap does not start
│   ├── NotInstalled                      there is no environment for this tap yet
│   ├── HubUnavailable                    the index of taps cannot be asked
│   └── CannotAudit                       no feed of known vulnerabilities answers
├── RunFailed                         1   the run ended; what was committed stays
│   ├── BrokenMessage                     a line of the tap is not a Singer message
│   ├── BrokenSchema                      a SCHEMA that cannot be followed
│   ├── BadRecord                         a record that contradicts its SCHEMA or has no key
│   ├── BadBatch                          a BATCH, or a file that it names, cannot be read
│   ├── TapFailed                         the tap ended with an exit code other than 0
│   ├── LimitExceeded                     the tap took more memory, time or processes than it may
│   ├── SilentTap                         the tap ended well but did not say what it had to
│   └── CountMismatch                     rows read and rows written differ
├── OutOfTime                         124 the tap was not done, or silent, for longer than it may be
├── NotTold                           1   a message could not be brought to whom it is for
├── DamagedFile                       1   a file of the workspace is not what was written
└── Stopped                           130 or 143, asked to stop by a signal
"""

from collections.abc import Callable

FINAL = frozenset({2, 4, 8})
"""The exit codes of what trying again does not mend: the configuration, the credentials, the environment. A run that
was killed has none of them."""

_SHOWN = 80
"""Bytes of what a tap said."""


class OrchestratorError(Exception):
    """What happened, why, what became of the data, and a command that helps.

    `message` is the first line a person reads; `cause`, `data` and `hint` are one line each or None. What a tap `said`
    ends the message, as far as it is short. `exit_code` is what the command line ends with.
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        cause: str | None = None,
        data: str | None = None,
        hint: str | None = None,
        said: bytes | None = None,
    ) -> None:
        self._what, self._said = message, said
        self._compose()
        self.cause = cause
        self.data = data
        self.hint = hint

    @property
    def is_temporary(self) -> bool:
        """Whether it may pass by itself, so that trying again makes sense."""
        return self.exit_code not in FINAL

    def __str__(self) -> str:
        lines = [self.message]
        lines += [f"  {label}: {text}" for label, text in self.details()]
        return "\n".join(lines)

    def scrub(self, scrub: Callable[[str], str]) -> None:
        """Passes every text through `scrub`: what a tap said may hold its secrets."""
        self._what = scrub(self._what)
        if self._said is not None:
            self._said = scrub(self._said.decode(errors="surrogateescape")).encode(errors="surrogateescape")
        self._compose()
        self.cause, self.data, self.hint = (text and scrub(text) for text in (self.cause, self.data, self.hint))

    def _compose(self) -> None:
        self.message = self._what
        if self._said is not None:
            # Cut off here, where it was scrubbed if it ever is: half of a secret is not known as one.
            self.message += f": {self._said[:_SHOWN]!r}{'…' if len(self._said) > _SHOWN else ''}"
        self.args = (self.message,)

    def details(self) -> list[tuple[str, str]]:
        """The lines under the message that have something to say, as (label, text)."""
        labelled = (("cause", self.cause), ("data", self.data), ("hint", self.hint))
        return [(label, text) for label, text in labelled if text]


class UsageError(OrchestratorError):
    exit_code = 2


class NoWorkspace(UsageError):
    pass


class ConfigError(UsageError):
    pass


class UnknownName(UsageError):
    pass


class CredentialsError(OrchestratorError):
    exit_code = 4


class AlreadyRunning(OrchestratorError):
    exit_code = 5


class DestinationError(OrchestratorError):
    exit_code = 7


class DestinationBusy(DestinationError):
    pass


class DestinationFull(DestinationError):
    pass


class DiskFailed(DestinationError):
    pass


class CommitConflict(DestinationError):
    pass


class EnvironmentBroken(OrchestratorError):
    exit_code = 8


class CannotResolve(EnvironmentBroken):
    pass


class CannotBuild(EnvironmentBroken):
    pass


class DoesNotStart(EnvironmentBroken):
    pass


class NotInstalled(EnvironmentBroken):
    pass


class CannotAudit(EnvironmentBroken):
    pass


class HubUnavailable(EnvironmentBroken):
    pass


class RunFailed(OrchestratorError):
    pass


class BrokenMessage(RunFailed):
    pass


class BrokenSchema(RunFailed):
    pass


class BadRecord(RunFailed):
    pass


class BadBatch(RunFailed):
    pass


class TapFailed(RunFailed):
    pass


class LimitExceeded(RunFailed):
    pass


class SilentTap(RunFailed):
    pass


class CountMismatch(RunFailed):
    pass


class OutOfTime(OrchestratorError):
    exit_code = 124


class NotTold(OrchestratorError):
    pass


class DamagedFile(OrchestratorError):
    pass


class Stopped(OrchestratorError):
    """The run ended because it was asked to; `signal` is 2 (Ctrl-C) or 15 (SIGTERM)."""

    def __init__(self, message: str, *, signal: int, data: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, data=data, hint=hint)
        self.signal = signal
        self.exit_code = 128 + signal
