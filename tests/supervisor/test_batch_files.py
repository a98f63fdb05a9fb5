"""The files of a BATCH are read from the folders that were allowed, and from nowhere else."""

import gzip
import os

import pytest

from orchestrator.config import Limits
from orchestrator.errors import BadBatch
from orchestrator.protocol.messages import BatchFiles
from orchestrator.supervisor.batch_files import batch_reader

LINES = b'{"id": 1}\n{"id": 2}\n'


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "allowed"
    folder.mkdir()
    return folder


@pytest.fixture
def read(root):
    """A function that reads the files of a batch, as lines."""

    def lines(*manifest, format="jsonl", compression="none", **options):
        reader = batch_reader((root,), root, **options)
        content = b"".join(reader(BatchFiles("issues", format, compression, tuple(map(str, manifest)), 7)))
        return [line for line in content.split(b"\n") if line]

    return lines


def rows_of(file, lines=LINES):
    file.write_bytes(lines)
    return file


def test_files_are_read_in_order_and_need_no_last_newline(root, read):
    rows_of(root / "a.jsonl", b'{"id": 1}\n{"id": 2}')
    rows_of(root / "b.jsonl", b'{"id": 3}')

    assert read(root / "a.jsonl", root / "b.jsonl") == [b'{"id": 1}', b'{"id": 2}', b'{"id": 3}']


@pytest.mark.parametrize(
    "named", ["{root}/a b.jsonl", "a b.jsonl", "file://{root}/a%20b.jsonl", "file:{root}/a%20b.jsonl"]
)
def test_a_file_is_named_by_a_path_or_a_url(root, read, named):
    rows_of(root / "a b.jsonl")

    assert read(named.format(root=root)) == [b'{"id": 1}', b'{"id": 2}']


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl"])
def test_files_may_be_compressed(root, read, name):
    rows_of(root / name, gzip.compress(LINES))

    assert read(root / name, compression="gzip") == [b'{"id": 1}', b'{"id": 2}']


@pytest.mark.parametrize(
    "named", ["{outside}/a.jsonl", "../a.jsonl", "{root}/../a.jsonl", "file://{outside}/a.jsonl", "file://../a.jsonl"]
)
def test_a_file_outside_is_refused(root, tmp_path, read, named):
    rows_of(tmp_path / "a.jsonl")

    with pytest.raises(BadBatch, match="issues, line 7: the batch file") as refused:
        read(named.format(root=root, outside=tmp_path))

    assert refused.value.cause == "it lies outside the folders that batches may come from"


def test_a_link_that_leads_outside_is_refused(root, tmp_path, read):
    (root / "file").symlink_to(rows_of(tmp_path / "a.jsonl"))
    (root / "folder").symlink_to(tmp_path)

    for named in ("file", "folder/a.jsonl"):
        with pytest.raises(BadBatch, match="lies outside"):
            read(named)


def test_a_link_that_stays_inside_is_followed(root, read):
    (root / "link").symlink_to(rows_of(root / "a.jsonl"))

    assert read("link") == [b'{"id": 1}', b'{"id": 2}']


def test_what_is_closed_is_refused_but_for_a_root_in_it(root, read, tmp_path):
    for place in ("state", "state/run"):
        (root / place).mkdir()
        rows_of(root / place / "a.jsonl")
    work = batch_reader((root, root / "state" / "run"), root, closed=(root / "state",))

    with pytest.raises(BadBatch, match="lies outside"):
        read("state/a.jsonl", closed=(root / "state",))
    assert b"".join(work(BatchFiles("issues", "jsonl", "none", ("state/run/a.jsonl",), 7))).startswith(LINES)


# ── small files that unpack to large ones ────────────────────────────────────────────────────────


def test_ten_gigabytes_in_ten_megabytes_are_refused_after_the_first_hundred(root):
    million = gzip.compress(b"\n" * 1_000_000)
    rows_of(root / "a.jsonl.gz", million * 10_000)
    assert (root / "a.jsonl.gz").stat().st_size > 9_000_000
    blocks = batch_reader((root,), root)(BatchFiles("issues", "jsonl", "gzip", ("a.jsonl.gz",), 7))
    read: list[int] = []

    with pytest.raises(BadBatch, match="cannot be read") as refused:
        read.extend(map(len, blocks))

    assert 90_000_000 < sum(read) <= 100_000_000
    assert refused.value.cause == "it unpacks to more than 200 times its size"
    assert "batch_ratio in [taps.NAME.limits]" in str(refused.value.hint)


def test_what_is_said_to_be_all_right_is_read(root):
    rows_of(root / "a.jsonl.gz", gzip.compress(b"\n" * 1_000_000) * 110)
    reader = batch_reader((root,), root, limits=Limits(batch_ratio=2000))

    assert sum(map(len, reader(BatchFiles("issues", "jsonl", "gzip", ("a.jsonl.gz",), 7)))) == 110_000_001


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_file_of_which_too_much_comes_is_refused(root, read, compression):
    rows_of(root / "a", gzip.compress(LINES) if compression == "gzip" else LINES)

    with pytest.raises(BadBatch) as refused:
        read("a", compression=compression, limits=Limits(batch_size=19))

    assert refused.value.cause == "it holds more than 19 B"
    assert read("a", compression=compression, limits=Limits(batch_size=20))


@pytest.mark.parametrize("named", ["http://localhost/a.jsonl", "s3://bucket/a.jsonl", "gs://b/a", "ftp://h/a"])
def test_nothing_is_fetched(read, named):
    with pytest.raises(BadBatch, match="are not read"):
        read(named)


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (b"no gzip", {"compression": "gzip"}),
        (gzip.compress(LINES)[:-9], {"compression": "gzip"}),
        (None, {}),
    ],
    ids=["no gzip", "torn gzip", "no file"],
)
def test_a_file_that_cannot_be_read_is_named(root, read, content, options):
    if content is not None:
        rows_of(root / "a", content)

    with pytest.raises(BadBatch, match="the batch file a cannot be read"):
        read("a", **options)


def test_a_folder_or_a_pipe_is_no_file(root, read):
    (root / "folder").mkdir()
    os.mkfifo(root / "pipe")

    for named in ("folder", "pipe"):
        with pytest.raises(BadBatch, match="it is not a file"):
            read(named)
