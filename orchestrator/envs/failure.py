"""What kept an environment from being made, or its tap from starting, as a value that a remedy can be sought for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from orchestrator.envs.interpreter import Interpreter
from orchestrator.errors import CannotBuild, CannotResolve, DoesNotStart, EnvironmentBroken


class Stage(IntEnum):
    """How far it came."""

    RESOLVE = 1
    BUILD = 2
    START = 3


@dataclass(frozen=True, slots=True)
class Failure:
    """`what` is the line for people, `cause` the reason in one line, `said` all that was said. `package` is the name of
    the tap's own distribution, where it is known.

    `versions` are the packages that were installed, by name, and `modules` which of them bring each top-level module;
    both are empty for what was not built. `requires_python` is what the tap itself asks for, where that is known.
    """

    stage: Stage
    what: str
    cause: str
    said: str
    on: Interpreter
    package: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    modules: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    requires_python: str | None = None

    @property
    def version(self) -> str | None:
        """That of the tap itself, where it was resolved."""
        return self.versions.get(self.package or "")

    def told(self, *, data: str, hint: str) -> EnvironmentBroken:
        """The failure as a person meets it."""
        kind = {Stage.RESOLVE: CannotResolve, Stage.BUILD: CannotBuild, Stage.START: DoesNotStart}[self.stage]
        return kind(self.what, cause=self.cause, data=data, hint=hint)


class Failed(Exception):
    """No environment came of a recipe, and another recipe might."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.what)
        self.failure = failure
