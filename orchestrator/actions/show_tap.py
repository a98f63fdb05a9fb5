"""Tells all that is known of a tap: what it is, what it understands and is told, what it offers, what it sees of us."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.actions.configure import TapSettings, tap_settings
from orchestrator.actions.list_taps import TapListed, list_taps
from orchestrator.catalogs import Choice, choose, kept_catalog
from orchestrator.config import read_config
from orchestrator.envs.about import read_about
from orchestrator.envs.switch import receipt_or_none
from orchestrator.paths import Paths
from orchestrator.supervisor.command import tap_environment


@dataclass(frozen=True, slots=True)
class TapShown:
    """One tap. `author` and `description` are what its metadata and its answer to --about say, None where they do not.

    `streams` are None where it was not asked yet what it offers. `variables` are the names of those variables of our
    environment that it is given now, and of those that `[taps.ID.env]` gives it.
    """

    listed: TapListed
    author: str | None
    description: str | None
    settings: TapSettings
    streams: tuple[Choice, ...] | None
    variables: tuple[str, ...]


def show_tap(paths: Paths, id: str, environ: Mapping[str, str] = os.environ) -> TapShown:
    """Looks, and starts nothing. Raises UnknownName, ConfigError, DamagedFile."""
    tap = read_config(paths.config).tap(id)
    receipt = receipt_or_none(paths, tap.environment)
    about = read_about(paths.built_about(tap.environment, receipt.environment)) if receipt else None
    catalog = kept_catalog(paths, id)
    return TapShown(
        listed=next(listed for listed in list_taps(paths) if listed.id == id),
        author=receipt.author if receipt else None,
        description=about.description if about else None,
        settings=tap_settings(paths, id, environ),
        streams=choose(catalog, tap.select, tap.streams) if catalog else None,
        variables=tuple(sorted({*tap_environment(environ), *tap.env})),
    )
