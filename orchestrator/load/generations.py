"""Which streams gather their rows unseen, as a new generation that the clean end of a tap shows in place of the old."""

from collections.abc import Mapping

EVERY = ""
"""Stands for each stream that has not been announced since everything was asked for afresh. No stream has this name."""


class Generations:
    """The generations of one flow while one run lasts.

    `gathering` is what the last commit remembers of them: the number of the run in which each began. `afresh` names
    the streams that begin anew in this run (None: all), `ids` gives the catalog's name of a stream for each name that
    its messages may bear.
    """

    def __init__(
        self, run: int, gathering: Mapping[str, int], afresh: frozenset[str] | None, ids: Mapping[str, str]
    ) -> None:
        self._run = run
        self._ids = ids
        # Also of a stream that this run does not come to: its bookmark is gone, so it will be read from its beginning.
        self._gathering = {EVERY: run} if afresh is None else {**gathering, **dict.fromkeys(afresh, run)}
        self._announced: dict[str, int | None] = {}

    def announce(self, stream: str, *, replaces: bool) -> int | None:
        """The generation of a stream that the tap announces, None when its rows join those that are there.

        `replaces` tells that the stream gathers anew in each run.
        """
        if stream not in self._announced:
            generation = self._gathering.pop(self._ids.get(stream, stream), self._gathering.get(stream))
            if generation is None:
                generation = self._gathering.get(EVERY, self._run if replaces else None)
            if generation is not None:
                self._gathering[stream] = generation
            self._announced[stream] = generation
        return self._announced[stream]

    def announced(self) -> dict[str, int]:
        """Those of the streams that this run announced: what its clean end may show."""
        return {stream: generation for stream, generation in self._announced.items() if generation is not None}

    def awaited(self, *, ended: bool) -> dict[str, int]:
        """Those of the streams that this run has not announced, or did not until it `ended`."""
        awaited = {stream: run for stream, run in self._gathering.items() if stream not in self._announced}
        if ended and EVERY in awaited:
            began = awaited.pop(EVERY)
            came = {self._ids.get(stream, stream) for stream in self._announced}
            awaited |= {id: began for id in self._ids.values() if id not in came}
        return awaited
