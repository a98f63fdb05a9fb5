"""The command line, for what is also printed."""

from tests.cli.conftest import orchestrator, shop

__all__ = ["orchestrator", "shop"]
