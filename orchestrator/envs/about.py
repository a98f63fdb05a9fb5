"""envs/<id>/<environment>/about.json: what a tap says of itself when it is asked, as taps of the Singer SDK can."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from orchestrator import durable
from orchestrator.envs.receipt import in_use
from orchestrator.errors import DamagedFile
from orchestrator.paths import Paths


@dataclass(frozen=True, slots=True)
class About:
    """The answer to `--about --format json`: https://sdk.meltano.com/en/latest/implementation/cli.html

    `settings` is the JSON schema of the tap's config: a secret has `secret`, and what must be said is `required`.
    `capabilities` are the SDK's own words, such as `stream-maps`; the options that a tap takes are in its receipt.
    What an old SDK does not say is empty.
    """

    name: str | None = None
    version: str | None = None
    description: str | None = None
    sdk_version: str | None = None
    capabilities: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, answer: bytes) -> "About | None":
        """None for what is no such answer."""
        try:
            return msgspec.json.decode(answer, type=cls)
        except msgspec.DecodeError:
            return None


def about(paths: Paths, tap: str) -> About | None:
    """What the tap in the environment in use said of itself; None for a tap that cannot say.

    Raises NotInstalled and DamagedFile, as `in_use` does.
    """
    return read_about(paths.built_about(tap, in_use(paths, tap).environment))


def read_about(path: Path) -> About | None:
    """The answer that is kept at `path`, None when there is none. Raises DamagedFile."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=About)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise DamagedFile(
            f"{path} is not what a tap said of itself",
            cause=str(error),
            data="nothing is lost: the tap runs without it",
            hint=f"rm {path}",
        ) from error


def write_about(path: Path, answer: bytes) -> None:
    """Keeps an answer whole, also what we do not read of it."""
    durable.write(path, msgspec.json.format(answer, indent=2) + b"\n")
