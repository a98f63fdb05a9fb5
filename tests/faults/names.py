"""Names as a tap may give them, hostile ones among them: each leads to one place, and to none outside."""

import multiprocessing
import os
import string
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import tomlkit
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from orchestrator.config import read_config
from orchestrator.errors import BadBatch, ConfigError
from orchestrator.paths import Paths, inside
from orchestrator.protocol.messages import BatchFiles
from orchestrator.supervisor.batch_files import batch_reader
from tests.destinations.landing import record, schema, text_of
from tests.faults.figures import Figure
from tests.load_path.places import KINDS, Place

NAMES = 10_000
IN_A_ROW = 500
AT_ONCE = 40
COLUMNS = "columns of every name"

_WINDOWS = ["con", "NUL", "aux.txt", "COM1", "lpt9.", "a.", "a ", "C:\\outside", "\\\\host\\share", "a:b"]
_PATHS = [
    "..",
    ".",
    "/",
    "../",
    "//",
    "\\",
    "..\\",
    "~",
    "$HOME",
    "%2e%2e%2f",
    "file://",
    "./.",
    "-rf",
    "*",
    "?",
    ".git",
]
_SQL = [
    '"',
    "'",
    ";",
    "--",
    "/*",
    "*/",
    "`",
    "[",
    "]",
    "DROP TABLE x",
    "select",
    "main",
    "_orchestrator",
    "rowid",
    "$1",
]
_SIGNS = [
    "\x00",
    "\n",
    "\r",
    "\t",
    "\x1b[31m",
    "\x7f",
    "\u202e",
    "\u200b",
    "\ufeff",
    "é",
    "e\u0301",
    "ß",
    "İ",
    "ı",
    "ﬁ",
    "👩‍👩‍👧‍👦",
]

letters = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
pieces = st.sampled_from([*_WINDOWS, *_PATHS, *_SQL, *_SIGNS]) | letters
joined = st.lists(pieces, min_size=1, max_size=4).map("".join)
long = st.builds(lambda text, count: (text * 300)[:count], joined, st.sampled_from([119, 120, 121, 200, 300, 1000]))
name = (joined | long | st.text(string.ascii_letters + "_", min_size=1, max_size=4)).filter(
    # A column of this name marks its row as deleted.
    lambda text: text != "_sdc_deleted_at"
)
# Such as differ by case or by how their letters are composed only.
twins = st.builds(
    lambda text, turn: [text, turn(text)],
    name,
    st.sampled_from(
        [
            str.upper,
            str.lower,
            str.swapcase,
            *(lambda s, f=f: unicodedata.normalize(f, s) for f in ("NFC", "NFD", "NFKC")),
        ]
    ),
)
names = st.lists(name.map(lambda text: [text]) | twins, min_size=AT_ONCE // 2, max_size=AT_ONCE).map(
    lambda groups: list(dict.fromkeys(text for group in groups for text in group if text))
)

_hypothesis = settings(
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True, slots=True)
class Tried:
    """So many names, and what there is to complain about; empty for nothing."""

    count: int
    complaint: str


def figures(folder: Path) -> Iterator[Figure]:
    seeds = range(NAMES // IN_A_ROW)
    # Tables take their time: as many processes as there are processors share it.
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("forkserver")) as pool:
        tries = {
            f"names of streams and columns, into {kind}": pool.map(partial(landed, kind, folder, IN_A_ROW), seeds)
            for kind in KINDS
        }
        tries["names of files of a BATCH, and of taps in orchestrator.toml"] = pool.map(
            partial(opened, folder, IN_A_ROW), seeds
        )
        for promise, tried in tries.items():
            yield _figure(promise, list(tried))


def _figure(promise: str, tried: Sequence[Tried]) -> Figure:
    count = sum(each.count for each in tried)
    complaints = [each.complaint for each in tried if each.complaint]
    return Figure(
        promise,
        f"{NAMES} names; each has one place, inside the root, and is found again; nothing outside is reached",
        f"{count} names, {len(complaints)} complaints {'; '.join(complaints[:3])}".rstrip(),
        count >= NAMES and not complaints,
    )


def landed(kind: str, folder: Path, most: int, chance: int = 0) -> Tried:
    """Lands so many names, of streams and of columns; others with another `chance`."""
    return _tried(lambda said, place: check_landing(said, Place(kind, place)), folder, most, chance)


def opened(folder: Path, most: int, chance: int = 0) -> Tried:
    """Names so many files and taps; others with another `chance`."""

    def check(said: Sequence[str], place: Path) -> None:
        check_files(said, place)
        check_taps(said, place)

    return _tried(check, folder, most, chance)


def check_landing(said: Sequence[str], place: Place) -> None:
    """Loads streams of these names, which have a column of their own name, and one with columns of all of them; then
    once more."""
    streams = {text: {"n": "integer", text: "string"} for text in said}
    streams[COLUMNS] = dict.fromkeys(said, "string")
    rows = {
        stream: {text: "a" if type == "string" else 1 for text, type in each.items()}
        for stream, each in streams.items()
    }
    messages = [m for stream, each in streams.items() for m in (schema(stream, **each), record(stream, **rows[stream]))]
    for _ in range(2):
        place.load_here([text_of(*messages)], [])
    tables = place.tables()
    there = {stream: table.rows for stream, table in tables.items()}
    assert there == {stream: [row, row] for stream, row in rows.items()}, "other rows are there than came"
    assert len(place.names()) == len(tables), "two streams share a table, or one has two"
    root = str(place.root)
    outside = [path for path in _files_below(place.folder) if path != root and not path.startswith(f"{root}/")]
    assert not outside, f"outside of the root are {outside}"


def check_files(said: Sequence[str], place: Path) -> None:
    """Asks for files of these names, some of them on a way out."""
    root, secret = place / "root", place / "secret"
    (root / "in").mkdir(parents=True)
    secret.write_bytes(b"secret")
    (root / "link").symlink_to(place)
    (root / "in" / "to-file").symlink_to(secret)
    ways = ("{}", "../{}", "../secret/{}", "link/{}", "link/secret{}", f"{place}/{{}}", f"file://{place}/{{}}", "in/{}")
    more = ("../secret", "link/secret", "in/to-file", str(secret), f"file://{secret}", "in/../../secret")
    read = batch_reader((root,), root)
    for path in [*(way.format(text) for way in ways for text in said), *more]:
        message = BatchFiles("s", "jsonl", "none", (path,), 1)
        with suppress(BadBatch):
            assert b"secret" not in b"".join(read(message)), f"{path!r} leads out"


def check_taps(said: Sequence[str], place: Path) -> None:
    """Says taps of these names in orchestrator.toml: those that are taken have their files inside."""
    paths = Paths(place)
    for text in said:
        paths.config.write_text(tomlkit.dumps({"taps": {text: {"package": "tap-x"}}}))
        with suppress(ConfigError):
            read_config(paths.config, environ={})
            for path in (paths.catalog(text), paths.receipt(text)):
                assert inside(path, (paths.catalogs, paths.envs), ()), f"{text!r} leads out"


def _tried(check: Callable[[Sequence[str], Path], None], folder: Path, most: int, chance: int) -> Tried:
    count = 0

    @seed(chance)
    @settings(_hypothesis, max_examples=1 + 2 * most // AT_ONCE)
    @given(said=names)
    def each(said: list[str]) -> None:
        nonlocal count
        if count >= most:
            return
        with tempfile.TemporaryDirectory(dir=folder) as place:
            check(said, Path(place))
        count += len(said)

    try:
        each()
    except Exception as error:
        # The notes of hypothesis tell the names, which may hold anything.
        told = " ".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
        return Tried(count, ascii(told)[:500])
    return Tried(count, "")


def _files_below(folder: Path) -> set[str]:
    return {os.path.join(at, name) for at, _, names in os.walk(folder) for name in names}
