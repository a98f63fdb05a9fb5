"""What a tap writes into its config, as one does whose token is another one after each use.

A token that is replaced is worth nothing any more, so the new one must not be lost. One that came from the vault goes
back there, under the same name. All else that a tap wrote is kept in secrets/<tap>.age, sealed for the identity that is
here, and told to the tap again.
"""

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestrator import durable
from orchestrator.config import Reference
from orchestrator.errors import CredentialsError, DamagedFile, OrchestratorError, RunFailed
from orchestrator.paths import Paths
from orchestrator.secrets.identity import NotForUs, find_identity, make_identity, seal
from orchestrator.secrets.vault import Content, Vault

Told = Mapping[str, Any]
_SECONDS_BETWEEN_LOOKS = 0.1


class OwnConfig:
    """What one tap is told now, and what it makes of it.

    `given` is what orchestrator.toml leads to, `written` the same with references. Over it goes what the tap wrote
    itself; but where a person has said something else since, that counts. `kept` tells whether something was kept of
    the tap before, `renewed` which secrets of the vault it renewed, `left` whether it wrote anything since it was
    started. `learn` is told what it wrote, as soon as that is seen.
    """

    def __init__(self, paths: Paths, tap: str, given: Told, written: Told, learn: Callable[[Told], None]) -> None:
        self._paths = paths
        self._file, self._memory = paths.own_config(tap), paths.handed_config(tap)
        self._plain = paths.handed_config_unsealed(tap)
        self._given, self._written, self._learn = given, written, learn
        # The config that was handed over last, should a tap have been killed while it wrote, and what led to it.
        handed = self._remembered()
        self.kept = handed is not None
        before = handed or {"given": {}, "told": {}}
        left = _object_in(self._file)
        self.told: Told = with_its_own(given, before["given"], before["told"] if left is None else left)
        self.renewed: set[str] = set()
        self.left = False
        self._last: Told = self.told
        self._place: Path | None = None
        self._seen: tuple[int, ...] = ()
        self._looking = threading.Lock()
        learn(self.told)

    @contextlib.contextmanager
    def on_the_disk(self) -> Iterator[Path]:
        """The file with the config, for as long as the block lasts, or another run of the tap is at work with it."""
        with durable.shared(self._paths.config_at_work(self._file)) as is_alone:
            if _object_in(self._file) != self.told:
                self._write(self._file, self.told)
            # After the file: until it is whole, what the tap wrote before is measured by what led to it.
            self._remember(self._given, self.told)
            try:
                yield self._file
            finally:
                # What could not be kept elsewhere is kept here.
                if is_alone() and _object_in(self._file) in (None, self._last):
                    self._file.unlink(missing_ok=True)

    @contextlib.contextmanager
    def watched(self, place: Path) -> Iterator[None]:
        """Keeps what the tap writes into its config at `place` as soon as it is there, and what it has left at the end
        of the block. Raises RunFailed where that cannot be kept."""
        # Of a run that was killed, the last one may have been seen by nobody.
        with contextlib.suppress(OrchestratorError, OSError):
            self._renew(self.told)
        self._place, self._seen = place, _stamp(place)
        over = threading.Event()

        def watch() -> None:
            while not over.wait(_SECONDS_BETWEEN_LOOKS):
                self.look()

        thread = threading.Thread(target=watch, name="tap-config", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self._seen = ()
            try:
                self._look()
            except OSError as error:
                raise RunFailed(
                    "what the tap wrote into its config cannot be kept",
                    cause=str(error),
                    data="what was committed stays; a token that it renewed may be lost",
                    hint="df -h .",
                ) from error
            self._place = None

    def look(self) -> None:
        """Keeps what the tap wrote since the last look. Costs a microsecond where it wrote nothing. What cannot be kept
        now is tried again at the end; who looks has other things to do."""
        with contextlib.suppress(OSError):
            self._look()

    def _look(self) -> None:
        place = self._place
        if place is None or (stamp := _stamp(place)) == self._seen:
            return
        with self._looking:
            left = _object_in(place)
            # Half of an object is one that is being written.
            if left is not None:
                self._seen = stamp
                if left != self._last:
                    self.left = True
                    self._learn(left)
                    self._keep(left)

    def _keep(self, left: Told) -> None:
        # What cannot go back to where it came from is remembered with all else.
        with contextlib.suppress(OrchestratorError, OSError):
            self._renew(left)
        if left != self._given or self.kept:
            self._remember(self._given, left)
        # A tap that is started again before the run is over, such as one that was asked for its catalog.
        self.told = self._last = left

    def _renew(self, left: Told) -> None:
        """Puts new secrets into the vault, in the place of those that they were given for."""
        new = dict(_renewed(self._written, self._given, left))
        mine: dict[str, str] = {}

        def change(content: Content) -> Content:
            for name, (given, secret) in new.items():
                # Where a person has set another one meanwhile, that counts.
                if name in content.secrets and content.secrets[name].value == given:
                    mine[name] = secret
            return content.with_secrets(mine)

        if new:
            Vault(self._paths).change(change)
            self.renewed |= mine.keys()
            self._given = _with_renewed(self._written, self._given, mine)

    def _remember(self, given: Told, told: Told) -> None:
        content = json.dumps({"given": given, "told": told}).encode()
        try:
            sealed = seal(content, [(find_identity() or make_identity()).recipient])
        except CredentialsError:
            # It would be lost, and with it the only token that the source takes.
            self._write(self._plain, {"given": given, "told": told})
            return
        self._write(self._memory, sealed)
        self._plain.unlink(missing_ok=True)

    def _remembered(self) -> dict[str, Any] | None:
        if (plain := _object_in(self._plain)) is not None:
            return plain
        try:
            sealed = self._memory.read_bytes()
        except FileNotFoundError:
            return None
        identity = find_identity()
        name = self._memory.relative_to(self._paths.root)
        try:
            if identity is None:
                raise NotForUs
            content = json.loads(identity.unseal(sealed))
        except NotForUs as error:
            raise CredentialsError(
                f"{name} was sealed for an identity that is not here",
                cause="it holds what the tap wrote into its config, and perhaps the only token that its source takes",
                data="the tap was not started",
                hint=f"bring that identity back, or let the tap in anew and rm {name}",
            ) from error
        except ValueError as error:
            raise DamagedFile(
                f"{name} is damaged",
                cause=str(error),
                data="the tap was not started",
                hint=f"let the tap in anew, set what it is told, and rm {name}",
            ) from error
        return dict(content)

    def _write(self, path: Path, content: Told | bytes) -> None:
        ignore = durable.make_folder(self._paths.secrets) / ".gitignore"
        if not ignore.exists():
            durable.write(ignore, "*\n")
        durable.write(path, content if isinstance(content, bytes) else json.dumps(content, indent=2) + "\n")


def _renewed(written: Any, given: Any, left: Any) -> Iterator[tuple[str, tuple[str, str]]]:
    """The secrets of the vault, by their names, for which a tap wrote others: what it was given, and what it wrote."""
    match written:
        case Reference("secret", str(name)) if isinstance(left, str) and left not in ("", given):
            yield name, (given, left)
        case Mapping() if isinstance(given, Mapping) and isinstance(left, Mapping):
            for key, below in written.items():
                yield from _renewed(below, given.get(key), left.get(key))
        case list() if isinstance(given, list) and isinstance(left, list):
            for each in zip(written, given, left, strict=False):
                yield from _renewed(*each)


def _with_renewed(written: Any, given: Any, new: Mapping[str, str]) -> Any:
    """What leads to the tap's config now that these secrets are others."""
    match written:
        case Reference("secret", str(name)):
            return new.get(name, given)
        case Mapping():
            return {key: _with_renewed(written.get(key), value, new) for key, value in given.items()}
        case list():
            return [_with_renewed(*each, new) for each in zip(written, given, strict=True)]
    return given


def with_its_own(now: Told, then: Told, left: Told) -> dict[str, Any]:
    """What to tell a tap to which `now` is given, was given `then`, and which `left` its config like this."""
    told: dict[str, Any] = {}
    for key in {**now, **left}:
        if key not in now:
            # Its own addition, unless a person took it out.
            if key not in then:
                told[key] = left[key]
        elif all(isinstance(each.get(key), dict) for each in (now, then, left)):
            told[key] = with_its_own(now[key], then[key], left[key])
        elif key in then and now[key] == then[key]:
            told[key] = left.get(key, now[key])
        else:
            told[key] = now[key]
    return told


def forget_own_config(paths: Paths, tap: str) -> None:
    """Removes what is kept of a tap's config."""
    file = paths.own_config(tap)
    for path in (file, paths.config_at_work(file), paths.handed_config(tap), paths.handed_config_unsealed(tap)):
        path.unlink(missing_ok=True)


def _stamp(path: Path) -> tuple[int, ...]:
    """Another one after each change of a file; empty where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _object_in(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None where there is none, or half of one."""
    try:
        value = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return value if isinstance(value, dict) else None
