"""What does one bad record in each 10 000 cost, set aside, beside none?"""

import json
from collections.abc import Callable
from dataclasses import replace

from benchmarks.data import Data, Stream, issues, narrow
from benchmarks.measuring import Results, Trial
from benchmarks.programs import load
from benchmarks.question import Bench
from benchmarks.table import Figure, ratio

_EACH = 10_000


def _a_text_for_a_number(line: str) -> str:
    message = json.loads(line)
    message["record"]["id"] = "?"
    return json.dumps(message) + "\n"


def _torn(line: str) -> str:
    return line[: len(line) // 2] + "\n"


_WAYS: dict[str, Callable[[str], str]] = {"with a text for a number": _a_text_for_a_number, "torn": _torn}


class Quarantine:
    def __init__(self, bench: Bench) -> None:
        self.trials: list[Trial] = []
        self._bad: list[tuple[Data, Data, Callable[[str], str]]] = []
        self._bars: list[tuple[str, Trial, Trial]] = []
        start = load("duckdb", "--on-bad-line", "quarantine")

        def trial(data: Data) -> Trial:
            self.trials.append(Trial("load to duckdb, bad lines aside", data, start, (data.messages,), ours=True))
            return self.trials[-1]

        def ask(stream: Stream, rows: int) -> None:
            good = bench.store.one(stream, rows)
            clean = trial(good)
            for way, spoil in _WAYS.items():
                name = f"{stream.name}, one in {_EACH} {way}"
                bad = replace(good, name=name, messages=bench.folder / f"{name.replace(' ', '-')}.messages")
                self._bad.append((good, bad, spoil))
                self._bars.append((f"{name} ÷ none", trial(bad), clean))

        ask(narrow(), bench.sizes.narrow)
        ask(issues(), bench.sizes.issues)

    def prepare(self) -> None:
        """The same messages with a bad one among them now and then."""
        for good, bad, spoil in self._bad:
            with good.messages.open() as source, bad.messages.open("w") as target:
                target.writelines(
                    spoil(line) if number % _EACH == _EACH // 2 else line for number, line in enumerate(source)
                )

    def figures(self, results: Results) -> list[Figure]:
        return [ratio(name, 1.5, results, bad, clean) for name, bad, clean in self._bars]
