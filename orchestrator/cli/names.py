"""Names of taps, flows and destinations on the command line, and how a shell completes them."""

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem

from orchestrator.cli.command import workspace
from orchestrator.errors import OrchestratorError


class Name(click.ParamType[str]):
    """A word that stands in the workspace."""

    def __init__(self, kind: str) -> None:
        self.name = kind

    def shell_complete(self, context: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:
        try:
            with context:
                known = [name for name in self._known(context, typed) if name.startswith(typed)]
                # A shell types what is proposed: that has to be seen.
                return [CompletionItem(name) for name in known if name.isprintable()]
        except OrchestratorError:
            # A shell that completes is no place to complain.
            return []

    def _known(self, context: click.Context, typed: str) -> Iterable[str]:
        config = workspace().config
        notify = [each.name for each in config.notify]
        return {"tap": config.taps, "flow": config.flows, "destination": config.destinations, "notify": notify}[
            self.name
        ]


class Stream(Name):
    """A stream of the tap that was named before it; a pattern may exclude one, or go on to its properties."""

    def __init__(self) -> None:
        super().__init__("stream")

    def _known(self, context: click.Context, typed: str) -> Iterable[str]:
        from orchestrator.catalogs import kept_catalog

        opened = workspace()
        config = opened.config
        tap = context.params.get("tap") or next(config.flow(flow).tap for flow in context.params.get("flows") or ())
        catalog = kept_catalog(opened.paths, tap)
        mark = "!" if typed.startswith("!") else ""
        for stream in catalog.streams if catalog else ():
            yield mark + stream.id
            if typed.startswith(f"{mark}{stream.id}."):
                yield from (f"{mark}{stream.id}.{property}" for property in stream.properties)


class Secret(Name):
    """A secret of the vault, where it can be opened."""

    def __init__(self) -> None:
        super().__init__("secret")

    def _known(self, context: click.Context, typed: str) -> Iterable[str]:
        return (each.name for each in workspace().secrets())


TAP, FLOW, DESTINATION, STREAM, SECRET = Name("tap"), Name("flow"), Name("destination"), Stream(), Secret()
NOTIFY = Name("notify")
