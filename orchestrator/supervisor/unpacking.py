"""How much may come out of a file that a tap names: a small one may be made to unpack without end."""

import sys
from dataclasses import replace

from orchestrator.config import USUAL_LIMITS, Limits
from orchestrator.config.measures import size

_SMALL = 100_000_000
"""Bytes; so much may come of any file, however small it is."""


ANY_AMOUNT = replace(USUAL_LIMITS, batch_size=sys.maxsize, batch_ratio=sys.maxsize)
"""For what was read before."""


class TooMuch(ValueError):
    """More comes of a file than may. `setting` is the limit that was met."""

    def __init__(self, what: str, setting: str) -> None:
        super().__init__(what)
        self.setting = setting


def check_size(unpacked: int, limits: Limits) -> None:
    """Raises TooMuch where so many bytes are more than may come of a file."""
    if unpacked > limits.batch_size:
        raise TooMuch(f"it holds more than {size(limits.batch_size)}", "batch_size")


def check_ratio(unpacked: int, packed: int, limits: Limits) -> None:
    """The same where they are too many for the bytes of the file that they came of."""
    if unpacked > _SMALL and unpacked > limits.batch_ratio * packed:
        raise TooMuch(f"it unpacks to more than {limits.batch_ratio} times its size", "batch_ratio")
