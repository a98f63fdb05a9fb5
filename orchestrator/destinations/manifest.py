"""What a parquet folder holds of a flow: a numbered manifest for each commit, and files put where the newest one says.

Below the root:

    issues/commit-00000012-1.parquet           a table; readers take every file in the folder
    _orchestrator/shop/quarantine/             one more table: lines and records that could not land
    _orchestrator/shop/manifest-00000012.json  a commit: the state, the tables, and the files of each
    _orchestrator/shop/files/                  files that no reader sees: on their way, or not published yet
    _orchestrator/.processes/                  files that no commit holds yet, in a folder for each process
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from orchestrator import durable
from orchestrator.destinations.parts import Part
from orchestrator.errors import DamagedFile
from orchestrator.events import Listener, Note, nobody
from orchestrator.load.commit import Commit
from orchestrator.load.evolution import Landed
from orchestrator.load.naming import name_for
from orchestrator.load.quarantine import QUARANTINE
from orchestrator.protocol.schemas import Column, Type

OURS = "_orchestrator"
_FILES = "files"
_QUARANTINE = "quarantine"
_MANIFEST = re.compile(r"manifest-(\d{8,})\.json")
_UNFINISHED_MANIFEST = ".manifest-*"
_PART = re.compile(r"commit-\d{8,}-\d+\.parquet")
_MANIFESTS_KEPT = 2


@dataclass(frozen=True, slots=True)
class Holding:
    """A table as a flow holds it: in the folder `landed.name`, or, while its `generation` is gathered, where no reader
    sees it; `landed.name` is empty then."""

    landed: Landed
    generation: int | None
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """A commit, and every table of its flow as that commit left it."""

    commit: Commit
    holdings: tuple[Holding, ...]


class Memory:
    """The manifests of one flow, and the files that they name."""

    def __init__(self, root: Path, flow: str) -> None:
        self._root = root
        self._flow = flow
        # A name that is not plain gets a suffix, so that no two flows meet, whatever their case.
        name = name_for(flow, ())
        self._folder = root / OURS / (name if name == flow == flow.casefold() else name_for(flow, [name]))
        self._files = self._folder / _FILES

    def table_name(self, stream: str, ours: Iterable[Holding]) -> str:
        """A folder for a stream that nobody has: no table in `ours`, no other flow, and nobody who put something
        there. The quarantine lies in the flow's own folder."""
        if stream == QUARANTINE.stream:
            return str((self._folder / _QUARANTINE).relative_to(self._root))
        manifests = (_newest(folder) for folder in (self._root / OURS).iterdir() if folder.is_dir())
        committed = [holding.landed.name for manifest in manifests if manifest for holding in manifest.holdings]
        # An empty folder may be what is left of a table that was taken away by hand.
        present = [path.name for path in self._root.iterdir() if not path.is_dir() or any(path.iterdir())]
        taken = [*committed, *present, *(holding.landed.name for holding in ours)]
        name = name_for(stream, taken)
        # Many readers pass over a folder whose name begins so.
        return name_for(f"table{stream}", taken) if name.startswith("_") else name

    def recover(self, listen: Listener = nobody) -> Manifest | None:
        """The newest manifest, once all that a crash left half done is done or undone; None before the first commit.

        Files that somebody took away by hand are left out of it, and told. Raises DamagedFile.
        """
        if not self._folder.is_dir():
            return None
        manifest = _newest(self._folder)
        self.show(manifest.holdings if manifest else ())
        return manifest and replace(
            manifest, holdings=tuple(self._without_lost(holding, listen) for holding in manifest.holdings)
        )

    def _without_lost(self, holding: Holding, listen: Listener) -> Holding:
        stream = holding.landed.stream
        there = tuple(part for part in holding.parts if self._is_there(part, stream))
        if lost := set(holding.parts) - set(there):
            names, rows = ", ".join(sorted(part.path.name for part in lost)), sum(part.rows for part in lost)
            listen(
                Note(
                    f"{rows} rows of {stream} are gone, because somebody removed {names}: "
                    f"orchestrator run {self._flow} --full-refresh {stream} reads the table again"
                )
            )
        return replace(holding, parts=there)

    def _is_there(self, part: Part, stream: str) -> bool:
        try:
            if part.is_whole():
                return True
        except FileNotFoundError:
            return False
        raise DamagedFile(
            f"{part.path} is not what was written",
            cause=f"it has {part.path.stat().st_size} bytes, and had {part.bytes}",
            data="nothing was changed",
            hint=f"put it back from a backup, or rm {part.path} && "
            f"orchestrator run {self._flow} --full-refresh {stream}",
        )

    def write(self, manifest: Manifest) -> Manifest:
        """Takes the new files over and writes the manifest; from its rename on the commit holds.

        Gives the manifest with every file where `show` brings it.
        """
        durable.make_folder(self._files)
        made = 0
        placed = []
        for holding in manifest.holdings:
            names = []
            for part in holding.parts:
                names.append(part.path.name)
                if not _PART.fullmatch(part.path.name):
                    made += 1
                    names[-1] = f"commit-{manifest.commit.number:08}-{made}.parquet"
                    durable.sync_file(part.path)
                    durable.rename(part.path, self._files / names[-1])
            folder = _place(self._folder, holding.landed.name)
            parts = [replace(part, path=folder / name) for name, part in zip(names, holding.parts, strict=True)]
            placed.append(replace(holding, parts=tuple(parts)))
        durable.sync_folder(self._files)
        placed_manifest = replace(manifest, holdings=tuple(placed))
        durable.write(_path(self._folder, manifest.commit.number), _text(placed_manifest))
        return placed_manifest

    def show(self, holdings: Iterable[Holding]) -> None:
        """Brings every file where it belongs and removes what belongs to no table. May be done again at any time."""
        waiting = _parts_in(self._files)
        for holding in holdings:
            named = {part.path.name for part in holding.parts}
            if holding.landed.name:
                self._show_table(_place(self._folder, holding.landed.name), named, waiting & named)
            waiting -= named
        for name in waiting:
            durable.remove(self._files / name)
        for number in _numbers(self._folder)[:-_MANIFESTS_KEPT]:
            durable.remove(_path(self._folder, number))
        for unfinished in self._folder.glob(_UNFINISHED_MANIFEST):
            durable.remove(unfinished)

    def _show_table(self, folder: Path, named: set[str], arriving: set[str]) -> None:
        there = _parts_in(folder)
        if arriving and not there:
            folder.mkdir(exist_ok=True)
            # Before a file moves there: a power loss must not take away the folder and leave the move.
            durable.sync_folder(folder.parent)
        # What goes goes first: a reader may miss a row for a moment, but never meets one twice.
        for name in there - named:
            durable.remove(folder / name)
        for name in arriving:
            durable.rename(self._files / name, folder / name)
        if arriving or not there <= named:
            durable.sync_folder(folder)


def quarantine_files(root: Path) -> list[Path]:
    """What could not land, of every flow of a folder."""
    return sorted((root / OURS).glob(f"*/{_QUARANTINE}/*.parquet"))


def _place(folder: Path, table: str) -> Path:
    """Where the files of a table belong, for the flow whose memory is `folder`."""
    return folder.parents[1] / table if table else folder / _FILES


def _parts_in(folder: Path) -> set[str]:
    """The names of our files there."""
    return {path.name for path in folder.iterdir() if _PART.fullmatch(path.name)} if folder.is_dir() else set()


# ── the text of a manifest ───────────────────────────────────────────────────────────────────────


class _File(msgspec.Struct, frozen=True):
    name: str
    rows: int
    bytes: int = 0


class _Table(msgspec.Struct, frozen=True):
    stream: str
    generation: int | None
    folder: str
    """Empty while the generation is gathered."""
    key: tuple[str, ...]
    columns: dict[str, tuple[str, str]]
    """The tap's name of a column -> its name and type in the files."""
    files: tuple[_File, ...]


class _Text(msgspec.Struct, frozen=True):
    """Files of this form lie on people's disks: a member that is added later needs a default."""

    flow: str
    number: int
    run: int
    at: str
    state: str | None
    """The tap's own JSON text, word for word."""
    rows: dict[str, int]
    sequence: int
    gathering: dict[str, int]
    tables: tuple[_Table, ...]
    quarantined: dict[str, int] = {}


def _path(folder: Path, number: int) -> Path:
    return folder / f"manifest-{number:08}.json"


def _numbers(folder: Path) -> list[int]:
    """The numbers of the manifests in a folder, the newest last."""
    found = (_MANIFEST.fullmatch(path.name) for path in folder.iterdir())
    return sorted(int(match[1]) for match in found if match)


def _newest(folder: Path) -> Manifest | None:
    numbers = _numbers(folder)
    if not numbers:
        return None
    path = _path(folder, numbers[-1])
    try:
        text = msgspec.json.decode(path.read_bytes(), type=_Text)
        holdings = [_holding(table, _place(folder, table.folder)) for table in text.tables]
    except ValueError as error:
        raise DamagedFile(
            f"{path} is not what was written",
            cause=str(error),
            data="the tables were not touched",
            hint=f"put the file back from a backup, or move {folder.parents[1]} away and run from the start",
        ) from error
    state = None if text.state is None else text.state.encode()
    commit = Commit(
        text.flow,
        text.number,
        text.run,
        text.at,
        state,
        text.rows,
        text.sequence,
        text.gathering,
        quarantined=text.quarantined,
    )
    return Manifest(commit, tuple(holdings))


def _holding(table: _Table, folder: Path) -> Holding:
    columns = {said: Column(name, Type.parse(type)) for said, (name, type) in table.columns.items()}
    parts = tuple(Part(folder / file.name, file.rows, file.bytes) for file in table.files)
    return Holding(Landed(table.stream, table.folder, table.key, columns), table.generation, parts)


def _text(manifest: Manifest) -> bytes:
    commit = manifest.commit
    state = None if commit.state is None else commit.state.decode()
    tables = tuple(
        _Table(
            holding.landed.stream,
            holding.generation,
            holding.landed.name,
            holding.landed.key,
            {said: (column.name, str(column.type)) for said, column in holding.landed.columns.items()},
            tuple(_File(part.path.name, part.rows, part.bytes) for part in holding.parts),
        )
        for holding in manifest.holdings
    )
    text = _Text(
        commit.flow,
        commit.number,
        commit.run,
        commit.at,
        state,
        dict(commit.rows),
        commit.sequence,
        dict(commit.gathering),
        tables,
        dict(commit.quarantined),
    )
    return msgspec.json.format(msgspec.json.encode(text))
