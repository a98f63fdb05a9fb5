"""Runs Singer taps, each in its own locked environment, and lands their rows exactly once."""

from typing import Any

__version__ = "0.1.0"

__all__ = ["__version__", "load"]


def __getattr__(name: str) -> Any:
    """A public name is imported when it is first used, so that the package itself imports at once."""
    if name in __all__:
        from orchestrator import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
