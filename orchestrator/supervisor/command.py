"""The command that starts a tap: its executable, what it is told, and the little it may see of our environment."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from orchestrator import durable
from orchestrator.config import USUAL_LIMITS, Limits
from orchestrator.supervisor.sandbox import Allowed, Confinement

_SHOWN = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ"),
        *("http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE"),
    }
)
_SHOWN_PREFIXES = ("LC_", "AWS_")


def tap_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What a tap sees of our environment: where programs, home, proxies and certificates are, and who it is for AWS;
    nothing of the Python we run in."""
    return {name: value for name, value in environ.items() if name in _SHOWN or name.startswith(_SHOWN_PREFIXES)}


@dataclass(frozen=True, slots=True)
class Invocation:
    """How to ask a tap for something. `takes` are the options its help names, without dashes (config, catalog,
    properties, state, discover); `config` and the others are JSON texts, None for what is not handed over.
    `config_file` is the place on the disk of a config that the tap may rewrite; it holds `config` already.
    `environment` are variables that the tap is given beside those that every tap sees. `confinement` is what it may
    reach beside what it is handed here; None: all that we do."""

    executable: Path
    takes: frozenset[str]
    # It holds secrets, which must not stand in a traceback.
    config: bytes = field(default=b"{}", repr=False)
    catalog: bytes | None = None
    state: bytes | None = None
    discover: bool = False
    config_file: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    limits: Limits = USUAL_LIMITS
    confinement: Confinement | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A process about to start, which finds its config at `config`. `open_files` are descriptors that it inherits."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    config: Path
    open_files: tuple[int, ...] = ()
    limits: Limits = USUAL_LIMITS
    confinement: Confinement | None = None


@dataclass(frozen=True, slots=True)
class _Handed:
    """Files handed to a tap: paths as the tap opens them, and the descriptors behind those that are none on disk."""

    stack: ExitStack
    work: Path
    open_files: list[int] = field(default_factory=list)

    def file(self, name: str, content: bytes) -> str:
        path = self.work / name
        durable.write(path, content)
        return str(path)

    def secret(self, name: str, content: bytes) -> str:
        """Held in memory, under a path that only this process and its children can open."""
        if not sys.platform.startswith("linux"):
            return self.file(name, content)
        descriptor = os.memfd_create(name, os.MFD_CLOEXEC)
        self.stack.callback(os.close, descriptor)
        os.write(descriptor, content)
        self.open_files.append(descriptor)
        return f"/dev/fd/{descriptor}"


@contextmanager
def command_for(invocation: Invocation, *, folder: Path, work: Path, environ: Mapping[str, str]) -> Iterator[Command]:
    """The command of an invocation, for as long as the block lasts.

    The tap runs in `folder`; what must lie on disk lies in `work`, readable by the owner alone. The config is kept
    off the disk where the system can (a memfd, opened as /dev/fd/N), unless it has a file. As long as the block lasts
    it can be read, also what the tap made of it.
    """
    with ExitStack() as stack:
        handed = _Handed(stack, work)
        arguments = [str(invocation.executable)]
        config = str(invocation.config_file or handed.secret("config.json", invocation.config))
        arguments += ["--config", config]
        if invocation.discover:
            arguments.append("--discover")
        # Many taps name both options and read one of them; which, only they know, and the other one does no harm.
        options = [option for option in ("catalog", "properties") if option in invocation.takes]
        if invocation.catalog is not None and options:
            path = handed.file("catalog.json", invocation.catalog)
            arguments += [word for option in options for word in (f"--{option}", path)]
        if invocation.state is not None and "state" in invocation.takes:
            arguments += ["--state", handed.file("state.json", invocation.state)]
        temporary = durable.make_folder(work / "tmp")
        environment = tap_environment(environ) | {"PYTHONUTF8": "1", "TMPDIR": str(temporary)}
        yield Command(
            tuple(arguments),
            environment | dict(invocation.environment),
            folder,
            Path(config),
            tuple(handed.open_files),
            invocation.limits,
            _with_what_is_handed(invocation, work),
        )


def _with_what_is_handed(invocation: Invocation, work: Path) -> Confinement | None:
    if invocation.confinement is None:
        return None
    written = (work, invocation.config_file) if invocation.config_file else (work,)
    return replace(invocation.confinement, allowed=invocation.confinement.allowed | Allowed(writes=written))
