"""envs/<id>/receipt.json: which environment is in use, and what is in it."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from orchestrator import durable
from orchestrator.errors import DamagedFile, NotInstalled
from orchestrator.paths import Paths


@dataclass(frozen=True, slots=True)
class Receipt:
    """One environment that was built and started. All paths are absolute; `built_at` is RFC 3339 in UTC.

    `package` is what the distribution calls itself; `capabilities` are words of `trial.CAPABILITIES`, sorted.
    `author` is what its metadata says; `why` says why it runs on this Python. `previous` is the environment to
    roll back to.
    """

    environment: str
    package: str
    version: str
    author: str | None
    executable: str
    python: str
    python_version: str
    capabilities: tuple[str, ...]
    built_at: str
    why: str | None = None
    previous: str | None = None

    def takes(self, capability: str) -> bool:
        """Whether the tap's own `--help` names the option `--CAPABILITY`."""
        return capability in self.capabilities


def in_use(paths: Paths, tap: str) -> Receipt:
    """The receipt of the environment that `tap` runs in.

    Raises NotInstalled when there is none or it is gone from the disk, DamagedFile when its receipt cannot be read.
    """
    receipt = read_receipt(paths.receipt(tap))
    if receipt is None or not is_whole(paths, tap, receipt):
        raise NotInstalled(
            f'there is no environment for tap "{tap}" yet'
            if receipt is None
            else f'the environment of tap "{tap}" is not on this machine any more',
            cause=None if receipt is None else f"{receipt.executable} cannot be run",
            hint="orchestrator install",
        )
    return receipt


def read_receipt(path: Path) -> Receipt | None:
    """The receipt at `path`, None when there is none. Raises DamagedFile."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Receipt)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise DamagedFile(f"{path} is not a receipt", cause=str(error), hint="orchestrator install") from error


def write_receipt(path: Path, receipt: Receipt) -> None:
    durable.write(path, msgspec.json.format(msgspec.json.encode(receipt), indent=2) + b"\n")


def is_whole(paths: Paths, tap: str, receipt: Receipt) -> bool:
    """Whether what the receipt names can be run: a folder that was moved, or a Python that was removed, cannot."""
    folder = paths.build(tap, receipt.environment)
    executable = Path(receipt.executable)
    return executable.is_relative_to(folder) and os.access(executable, os.X_OK) and (folder / "bin" / "python").exists()


def finished(paths: Paths, tap: str, environment: str) -> Receipt | None:
    """The receipt inside an environment, when it was built to the end and can be run."""
    with contextlib.suppress(DamagedFile):
        receipt = read_receipt(paths.built_receipt(tap, environment))
        if receipt is not None and is_whole(paths, tap, receipt):
            return receipt
    return None
