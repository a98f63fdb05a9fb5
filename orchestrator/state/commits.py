"""The commit log: every commit of a flow, one line each. The destination is the truth; this is the memory."""

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from orchestrator import durable
from orchestrator.clock import rfc3339
from orchestrator.errors import DamagedFile, UnknownName
from orchestrator.load.commit import Commit
from orchestrator.paths import Paths
from orchestrator.state.disk import writing


@dataclass(frozen=True, slots=True)
class Break:
    """Here the history parts from what the log said before, because the destination does.

    `reason` is a sentence. `held` is the commit that the destination held then, None when it held none. Of the
    commits before the break, those up to the number `stands` are still part of what the destination holds.
    """

    at: str
    reason: str
    stands: int
    held: Commit | None


Entry = Commit | Break


class CommitLog:
    """The commits of one flow. Whoever writes holds the flow's OS lock; anybody may read meanwhile."""

    def __init__(self, paths: Paths, flow: str) -> None:
        self._path = paths.commit_log(flow)
        self._flow = flow

    def record(self, commit: Commit) -> None:
        """Adds a commit that the destination holds. Raises DestinationFull, RunFailed."""
        self._append(_line_of(commit))

    def entries(self) -> list[Entry]:
        """Everything that was written, in order: each commit, and each break between them. Raises DamagedFile."""
        return [self._read(line, number) for number, line in enumerate(durable.read_lines(self._path), 1)]

    def commits(self) -> list[Commit]:
        """The commits that the destination's last one builds on, oldest first, it included. Raises DamagedFile.

        Those that a break took away are left out; numbers rise, and miss only what the log never saw.
        """
        standing: list[Commit] = []
        for entry in self.entries():
            if isinstance(entry, Break):
                standing = [commit for commit in standing if commit.number <= entry.stands]
            commit = entry.held if isinstance(entry, Break) else entry
            standing += [commit] if commit else []
        return standing

    def last(self) -> Commit | None:
        """The newest commit, however long the log is. Raises DamagedFile."""
        line = _last_line(self._path)
        if line is None:
            return None
        entry = self._read(line)
        return entry.held if isinstance(entry, Break) else entry

    def find(self, number: int) -> Commit:
        """The commit of that number; its state and its sequence are what a run needs to start from it.

        Raises UnknownName, DamagedFile.
        """
        commits = self.commits()
        for commit in commits:
            if commit.number == number:
                return commit
        raise UnknownName(
            f'there is no commit {number} in the history of "{self._flow}"',
            cause=f"it goes from commit {commits[0].number} to {commits[-1].number}" if commits else "it is empty",
            hint=f"orchestrator state history {self._flow}",
        )

    def catch_up(self, held: Commit | None) -> list[str]:
        """Makes the log end where the destination does, at its last commit `held`.

        After a crash the log may be one commit behind. Any other difference is written down as a break and
        returned as a sentence for people: somebody replaced the destination, put it back, or lost this log.
        Raises DestinationFull, RunFailed, DamagedFile.
        """
        last = self.last()
        if _same(last, held):
            return []
        if held is not None and held.number == (last.number if last else 0) + 1:
            self.record(held)
            return []
        reason = _difference(last, held)
        known = held is not None and any(_same(commit, held) for commit in self.commits())
        stands = held.number - 1 if held is not None and known else 0
        self._append(_BreakLine(rfc3339(), reason, stands, None if held is None else _line_of(held)))
        return [reason]

    def _append(self, line: "_Line") -> None:
        with writing("the commit log", self._path):
            durable.append_lines(self._path, [msgspec.json.encode(line)])

    def _read(self, line: bytes, number: int | None = None) -> Entry:
        try:
            return _LINES.decode(line).entry(self._flow)
        except msgspec.DecodeError as error:
            number = number or len(durable.read_lines(self._path))
            raise DamagedFile(
                f"{self._path}, line {number} is not a commit: {line[:60]!r}",
                cause=str(error),
                data="no row is affected; the destination knows its own last commit",
                hint=f"sed -i.damaged {number}d {self._path}        (takes the line out and keeps a copy of the log)",
            ) from error


# ── how a line is written ────────────────────────────────────────────────────────────────────────


class _CommitLine(msgspec.Struct, tag_field="line", tag="commit"):
    """The state is text in the text: JSON within JSON would not come back with the tap's own digits and spacing."""

    number: int
    run: int
    at: str
    rows: dict[str, int]
    sequence: int
    gathering: dict[str, int]
    state: str | None
    publish: dict[str, int] = {}
    quarantined: dict[str, int] = {}

    def entry(self, flow: str) -> Commit:
        return Commit(
            flow,
            self.number,
            self.run,
            self.at,
            None if self.state is None else self.state.encode(),
            self.rows,
            self.sequence,
            self.gathering,
            publish=self.publish,
            quarantined=self.quarantined,
        )


class _BreakLine(msgspec.Struct, tag_field="line", tag="break"):
    at: str
    reason: str
    stands: int
    held: _CommitLine | None

    def entry(self, flow: str) -> Break:
        return Break(self.at, self.reason, self.stands, None if self.held is None else self.held.entry(flow))


_Line = _CommitLine | _BreakLine
_LINES: msgspec.json.Decoder[_Line] = msgspec.json.Decoder(_Line)


def _line_of(commit: Commit) -> _CommitLine:
    state = None if commit.state is None else commit.state.decode()
    return _CommitLine(
        commit.number,
        commit.run,
        commit.at,
        dict(commit.rows),
        commit.sequence,
        dict(commit.gathering),
        state,
        dict(commit.publish),
        dict(commit.quarantined),
    )


def _last_line(path: Path) -> bytes | None:
    """The last whole line, read from the end; None when there is none."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    with file:
        size = file.seek(0, os.SEEK_END)
        reach = 65536
        while True:
            start = file.seek(max(0, size - reach))
            before, newline, _ = file.read(size - start).rpartition(b"\n")
            if newline and (start == 0 or b"\n" in before):
                return before.rpartition(b"\n")[2]
            if start == 0:
                return None
            reach *= 4


# ── what tells commits apart ─────────────────────────────────────────────────────────────────────


def _same(one: Commit | None, other: Commit | None) -> bool:
    """Whether the log and the destination speak of the same commit."""
    if one is None or other is None:
        return one is other
    return (one.number, one.run, one.at, one.sequence) == (other.number, other.run, other.at, other.sequence)


def _difference(last: Commit | None, held: Commit | None) -> str:
    here, there = last.number if last else 0, held.number if held else 0
    if there == 0:
        return f"the destination holds no commit, and the history ended at commit {here}: it begins anew"
    if here == 0:
        return f"the destination holds commit {there}, and the history was empty: what came before is not in it"
    if there > here:
        return f"the destination holds commit {there}, and the history ended at commit {here}: there is a gap in it"
    if there < here:
        return f"the destination went back to commit {there}, and the history ended at commit {here}"
    return f"the destination holds another commit {there} than the history: what came before is not its own"
