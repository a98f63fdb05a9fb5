"""How much more CPU do other loaders burn on the same rows?"""

from collections.abc import Callable
from pathlib import Path

from benchmarks.data import FEW, Data, issues, narrow
from benchmarks.measuring import CannotStart, Results, Start, Trial
from benchmarks.peers import PEERS, Peer
from benchmarks.programs import load
from benchmarks.question import Bench
from benchmarks.table import Figure, ratio

_REACH = 10


class Peers:
    """They are slow, so they read fewer rows; and so what a program needs to start is taken off, theirs and ours."""

    def __init__(self, bench: Bench) -> None:
        self._cache = bench.cache / "peers"
        self._programs: dict[str, Path | CannotStart] = {}
        self._pairs: list[tuple[Trial, Trial]] = []
        self.trials: list[Trial] = []
        for stream, rows in ((narrow(), bench.sizes.narrow_for_peers), (issues(), bench.sizes.issues_for_peers)):
            data, few = bench.store.one(stream, rows), bench.store.one(stream, FEW)
            ours = {kind: self._trial(f"load to {kind}", data, few, _ours(kind)) for kind in ("duckdb", "parquet")}
            for peer in PEERS:
                theirs = self._trial(peer.name, data, few, self._theirs(peer), rounds=1, ours=False)
                self._pairs.append((theirs, ours[peer.kind]))

    def prepare(self) -> None:
        for peer in PEERS:
            try:
                self._programs[peer.name] = peer.install(self._cache)
            except CannotStart as reason:
                self._programs[peer.name] = reason

    def figures(self, results: Results) -> list[Figure]:
        return [
            ratio(f"{theirs.name} ÷ {ours.program}", _REACH, results, theirs, ours, at_least=True)
            for theirs, ours in self._pairs
        ]

    def _trial(
        self,
        program: str,
        data: Data,
        few: Data,
        start: Callable[[Data], Start],
        *,
        rounds: int = 100,
        ours: bool = True,
    ) -> Trial:
        empty = Trial(program, few, start(few), (few.messages,), rounds, ours)
        trial = Trial(program, data, start(data), (data.messages,), rounds, ours, empty)
        self.trials += [empty, trial]
        return trial

    def _theirs(self, peer: Peer) -> Callable[[Data], Start]:
        def start(folder: Path, data: Data) -> list[str]:
            programs = self._programs[peer.name]
            if isinstance(programs, CannotStart):
                raise programs
            return peer.command(programs, folder, data)

        return lambda data: lambda folder: start(folder, data)


def _ours(kind: str) -> Callable[[Data], Start]:
    return lambda data: load(kind)
