"""How a run looks while it lasts: a table that moves on a terminal, a line now and then elsewhere."""

import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from orchestrator.cli.progress import tell
from orchestrator.cli.tables import grid, with_dim_head
from orchestrator.cli.terminal import as_shown, is_lively, say, speech
from orchestrator.cli.words import Rate, number
from orchestrator.events import Committed, Event, Listener, Progress, RunStarted

if TYPE_CHECKING:
    from rich.text import Text

SECONDS_A_LINE = 10.0
_SECONDS_OF_A_RATE = 5.0


@contextmanager
def watched() -> Iterator[Listener]:
    """Yields who shows the runs that begin while the block lasts."""
    if speech.json:
        # Also its end is about it; what is said after that is about the next one.
        speech.about = {}
        yield _Events().hear
        return
    if not is_lively(sys.stderr):
        yield _Lines().hear
        return
    with ExitStack() as screen:
        yield _Picture(screen).hear


class Rates:
    """Rows a second of each stream, over the last few seconds."""

    def __init__(self) -> None:
        self._past: deque[Progress] = deque()

    def of(self, now: Progress) -> dict[str, int]:
        self._past.append(now)
        while now.seconds - self._past[0].seconds > _SECONDS_OF_A_RATE and len(self._past) > 2:
            self._past.popleft()
        then = self._past[0]
        seconds = now.seconds - then.seconds
        if not seconds:
            return {}
        return {stream: round((rows - then.read.get(stream, 0)) / seconds) for stream, rows in now.read.items()}


class _Lines:
    """One line when a run begins, and one every ten seconds."""

    def __init__(self) -> None:
        self._rates = Rates()
        self._told = 0.0

    def hear(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._rates, self._told = Rates(), 0.0
                say(title(event))
            case Progress():
                rate = sum(self._rates.of(event).values())
                if event.seconds - self._told >= SECONDS_A_LINE:
                    self._told = event.seconds
                    say(
                        f"{event.flow}  {clock(event.seconds)}  {number(sum(event.read.values()))} rows read, "
                        f"{number(sum(event.committed.values()))} committed, {number(rate)}/s"
                    )
            case _:
                tell(event)


class _Events:
    """Each event as a line of JSON; of progress one every ten seconds."""

    def __init__(self) -> None:
        self._told = 0.0

    def hear(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._told = 0.0
                speech.about = {"flow": event.flow, "run": event.run}
                say("started", event="run_started", tap=event.tap, destination=event.destination, pid=event.pid)
            case Progress():
                if event.seconds - self._told >= SECONDS_A_LINE:
                    self._told = event.seconds
                    counts: dict[str, Any] = {
                        "read": event.read,
                        "committed": event.committed,
                        "bookmarks": event.bookmarks,
                    }
                    say("goes on", event="progress", seconds=round(event.seconds, 3), **counts)
            case Committed():
                say("committed", event="committed", commit=event.number, rows=event.rows)
            case _:
                tell(event)


class _Picture:
    """The table of a run, drawn anew a few times a second. It stays on the screen when the run has ended."""

    def __init__(self, screen: ExitStack) -> None:
        self._screen = screen
        self._title = ""
        self._began = 0.0
        self._progress: Progress | None = None
        self._rates: Mapping[str, int] = {}
        self._past = Rates()

    def hear(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._screen.close()
                self._title, self._began = title(event), time.monotonic()
                self._progress, self._rates, self._past = None, {}, Rates()
                self._draw()
            case Progress():
                self._progress, self._rates = event, self._past.of(event)
            case _:
                tell(event)

    def _draw(self) -> None:
        from rich.console import Console
        from rich.live import Live

        live = Live(get_renderable=self._picture, console=Console(stderr=True), refresh_per_second=4)
        self._screen.enter_context(live)

    def _picture(self) -> "Text":
        from rich.text import Text

        lines = [f"{self._title}  {clock(time.monotonic() - self._began)}"]
        if self._progress is not None and self._progress.read:
            lines.append(streams(self._progress, self._rates))
        return Text.from_ansi(as_shown("\n".join(lines), colour=True), no_wrap=True, overflow="ellipsis")


def title(run: RunStarted) -> str:
    return f"{run.flow}  {run.tap} → {run.destination}  run {run.run}"


def clock(seconds: float) -> str:
    """`00:41`, and with hours where there are any."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute:02}:{second:02}"


def streams(progress: Progress, rates: Mapping[str, int]) -> str:
    """A line for each stream: rows read, committed, a second, and the bookmark of the last commit."""
    rows = [
        [
            stream,
            read,
            progress.committed.get(stream, 0),
            Rate(rates.get(stream, 0)),
            progress.bookmarks.get(stream),
        ]
        for stream, read in progress.read.items()
    ]
    return with_dim_head(grid(["stream", "read", "committed", "rate", "bookmark"], rows, indent="  "))
