"""A tap that does what its config says: it reads made-up streams, resumes from a state, and has accidents when told.

Row n of stream `issues` is {"id": …, "n": n, "name": "issues n", "at": …}. What the source holds follows from the
config alone; a longer stream is a source that has new rows.

    streams.NAME.rows        how many rows the source holds
    streams.NAME.endless     it holds rows without end; needs a state_every
    streams.NAME.key         key properties, ["id"] unless given; [] for none
    streams.NAME.ids         rows take turns with so many ids: later rows are changes of earlier ones
    streams.NAME.inclusive   the row of the bookmark comes again in the next run
    streams.NAME.method      INCREMENTAL unless given; FULL_TABLE reads everything in each run
    streams.NAME.resumes     a full table that broke off goes on where it was
    streams.NAME.remembers   of a full table a run sends what no run has sent before, as taps of files do
    streams.NAME.activates   rows have a version and ACTIVATE_VERSION comes "first", "last" or "both"
    streams.NAME.forgets     of a table that broke off the row is remembered, and not the version: so do taps of MySQL
    streams.NAME.drifts      after so many rows `size` turns from a number to a text, and `extra` is new
    streams.NAME.nested       rows have an object: `author`, with the members `id` and `name`
    streams.NAME.mute        it is offered in discovery, but a sync does not say a word of it
    streams.NAME.batch       rows come in files: {folder, compression}
    streams.NAME.parent      a stream without whose rows it is not announced; told_parent: the catalog tells it
    streams.NAME.refused     words that it prints on stderr in the place of its rows
    streams.NAME.breaks      words of the error that it ends with in the place of its rows
    streams.NAME.always      it is read whatever the catalog says
    state_every              a STATE after so many rows of a stream (0: never), and at the end of each stream
    state_at_end             false: no STATE at the end of a stream
    state_ahead              a STATE comes before the rows that it stands for
    empty_state_first        the first message is a STATE that remembers nothing
    discovers                false: asked for its catalog it begins to sync, as taps of the first years do
    trips                    it breaks on a catalog, whatever is in it
    hears                    of "catalog" and "properties" the one that it reads; without it, it takes a silent leave
    seconds_a_row            it sleeps before each row
    at_sigterm               seconds that it goes on after SIGTERM (-1: it does not listen)
    bows                     at SIGTERM it ends with exit code 0, "silently" or with a STATE, as the Singer SDK does
    metrics                  it counts its rows in METRIC lines on stderr
    confess                  it prints its config on stderr
    rotates                  it uses up its `token`: writes the next one into its config when it starts
    accidents                a list of {after: MESSAGES, ACCIDENT: ARGUMENT, ...}, see ACCIDENTS
"""

import argparse
import gzip
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]


class Voice:
    """What the tap prints, message by message, and what befalls it on the way."""

    def __init__(self, accidents: Iterable[Json]) -> None:
        self._accidents = list(accidents)
        self._messages = 0

    def say(self, type: str, **members: Any) -> None:
        if self._messages == 0:
            self._stumble()
        print(json.dumps({"type": type, **members}), flush=True)
        self._messages += 1
        self._stumble()

    def _stumble(self) -> None:
        for accident in self._accidents:
            if accident["after"] == self._messages:
                for kind, argument in accident.items():
                    if kind in ACCIDENTS:
                        ACCIDENTS[kind](argument)


def hang(seconds: float) -> None:
    time.sleep(seconds)


def die_by_signal(number: int) -> None:
    os.kill(os.getpid(), number)


def raise_error(words: str) -> None:
    raise RuntimeError(words)


def babble(words: str) -> None:
    print(words, flush=True)


def flood(lines: int) -> None:
    for number in range(lines):
        print(f"INFO {number} {'.' * 1000}", file=sys.stderr)


def log(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def leave_a_child(seconds: float) -> None:
    """The child holds stdout and stderr open, whatever becomes of its parent."""
    subprocess.Popen(["sleep", str(seconds)])


def stop(whom: list[str]) -> None:
    """SIGTERM to the run ("run"), as a service manager sends it to all at once, and to the tap ("tap")."""
    launcher = Path(f"/proc/{os.getppid()}/stat").read_text()
    for each in whom:
        os.kill(int(launcher.rpartition(")")[2].split()[1]) if each == "run" else os.getpid(), signal.SIGTERM)


def refuse_to_end(path: str) -> None:
    """From here on SIGTERM is not obeyed by the tap, by a child and by one that leaves the session; all hold stdout.
    Each tells the file its pid, and the tap when it was asked to end, by the clock that processes share."""
    for leaves in (False, True):
        if os.fork() == 0:
            if leaves:
                os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            _tell(path, f"member {os.getpid()}")
            time.sleep(600)
            os._exit(0)
    signal.signal(signal.SIGTERM, lambda number, frame: _tell(path, f"asked {time.monotonic()}"))
    _tell(path, f"member {os.getpid()}")
    _tell(path, f"silent {time.monotonic()}")


def _tell(path: str, words: str) -> None:
    with open(path, "a") as file:
        file.write(f"{words}\n")


def allocate(size: int) -> None:
    """Takes so many bytes, and keeps them."""
    held = bytearray(size)
    time.sleep(60)
    del held


def allocate_for_a_moment(size: int) -> None:
    held = bytearray(size)
    # A page that nobody wrote to takes no memory.
    held[::4096] = b"x" * len(held[::4096])


def touch(path: str) -> None:
    Path(path).touch()


def await_file(path: str) -> None:
    deadline = time.monotonic() + 60
    while not Path(path).exists():
        time.sleep(0.005)
        if time.monotonic() > deadline:
            raise TimeoutError(f"nobody made {path}")


ACCIDENTS: dict[str, Callable[[Any], object]] = {
    "exit": sys.exit,
    "signal": die_by_signal,
    "stop": stop,
    "raise": raise_error,
    "hang": hang,
    "babble": babble,
    "flood": flood,
    "log": log,
    "child": leave_a_child,
    "stubborn": refuse_to_end,
    "allocate": allocate,
    "allocate_for_a_moment": allocate_for_a_moment,
    "touch": touch,
    "await": await_file,
}


class Trips:
    """A stream of the Singer SDK whose key is a property of its class."""

    @staticmethod
    def apply_catalog() -> None:
        raise AttributeError("property 'primary_keys' of 'Trips' object has no setter")


class Stream:
    """One stream of the source."""

    def __init__(self, name: str, config: Json) -> None:
        self.name = name
        self.config = config
        self.key: list[str] = config.get("key", ["id"])
        self.method: str = config.get("method", "INCREMENTAL")
        self.rows: int | None = None if config.get("endless") else config["rows"]
        self.versioned = "activates" in config

    def schema(self, n: int) -> Json:
        """That of row n; before the first row it is that of row 1."""
        properties: Json = {
            "id": {"type": "integer"},
            "n": {"type": "integer"},
            "name": {"type": ["null", "string"]},
            "at": {"type": ["null", "string"], "format": "date-time"},
        }
        if "drifts" in self.config:
            properties["size"] = {"type": ["null", "string" if self.drifted(n) else "integer"]}
            if self.drifted(n):
                properties["extra"] = {"type": ["null", "number"]}
        if "nested" in self.config:
            members = {"id": {"type": "integer"}, "name": {"type": "string"}}
            properties["author"] = {"type": ["null", "object"], "properties": members}
        return {"type": "object", "properties": properties}

    def row(self, n: int) -> Json:
        ids = self.config.get("ids") or n
        row: Json = {"id": (n - 1) % ids + 1, "n": n, "name": f"{self.name} {n}"}
        row["at"] = f"2024-01-{1 + n // 86400:02}T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}Z"
        if "drifts" in self.config:
            row |= {"size": f"{n} m", "extra": n / 2} if self.drifted(n) else {"size": n}
        if "nested" in self.config:
            row["author"] = {"id": n, "name": f"author {n}"}
        return row

    def drifted(self, n: int) -> bool:
        return n > int(self.config["drifts"])

    def left(self, place: Json) -> Iterator[int]:
        """The numbers of the rows that a run reads which begins at `place`."""
        if self.method == "FULL_TABLE" and not self.resumes:
            first = 1
        else:
            first = max(1, place.get("n", 0) + (0 if self.config.get("inclusive") else 1))
        return itertools.count(first) if self.rows is None else iter(range(first, self.rows + 1))

    @property
    def resumes(self) -> bool:
        return bool(self.config.get("resumes", self.versioned or self.config.get("remembers")))

    def offer(self) -> Json:
        """What discovery says of it."""
        said = {
            "inclusion": "available",
            "table-key-properties": self.key,
            "replication-method": self.method,
            "valid-replication-keys": ["n"],
        }
        if self.method == "INCREMENTAL":
            said["replication-key"] = "n"
        if self.config.get("told_parent"):
            said["parent-tap-stream-id"] = self.config["parent"]
        return {
            "tap_stream_id": self.name,
            "stream": self.name,
            "schema": self.schema(1),
            "key_properties": self.key,
            "metadata": [{"breadcrumb": [], "metadata": said}],
        }


class Tap:
    """One sync."""

    def __init__(self, config: Json, state: Json) -> None:
        self._config = config
        self._voice = Voice(config.get("accidents", []))
        self._bookmarks: dict[str, Json] = state.get("bookmarks", {})
        self._came: set[str] = set()
        if config.get("bows"):
            signal.signal(signal.SIGTERM, self._bow)

    def sync(self, streams: Iterable[Stream]) -> None:
        if self._config.get("confess"):
            print(f"INFO starting with {json.dumps(self._config)}", file=sys.stderr, flush=True)
        if self._config.get("empty_state_first"):
            self._voice.say("STATE", value={})
        for stream in streams:
            if not stream.config.get("mute") and stream.config.get("parent", stream.name) in {stream.name, *self._came}:
                self._sync_stream(stream)

    def _bow(self, number: int, frame: object) -> None:
        if self._config["bows"] != "silently":
            self._tell_state()
            print("INFO Gracefully shutting down...", file=sys.stderr, flush=True)
        sys.exit(0)

    def _sync_stream(self, stream: Stream) -> None:
        place = self._bookmarks.get(stream.name, {})
        # A place without a row is that of a table which was read to its end: now begins the next version.
        version = place.get("version", 0) + ("n" not in place) if stream.versioned else None
        forgets = stream.config.get("forgets")
        if forgets:
            version = time.time_ns()
        self._announce(stream, 1)
        if stream.config.get("activates") in ("first", "both"):
            self._voice.say("ACTIVATE_VERSION", stream=stream.name, version=version)
        if refused := stream.config.get("refused"):
            print(refused, file=sys.stderr, flush=True)
            return
        if words := stream.config.get("breaks"):
            raise_error(words)
        count = 0
        for numbers in _chunks(stream.left(place), self._config.get("state_every", 0)):
            bookmark = {"n": numbers[-1]} | ({"version": version} if stream.versioned and not forgets else {})
            if forgets:
                bookmark["last_pk_fetched"] = {"n": numbers[-1]}
            if self._config.get("state_ahead"):
                self._bookmarks[stream.name] = bookmark
                self._tell_state()
            self._tell_rows(stream, numbers, version)
            count += len(numbers)
            self._came.add(stream.name)
            self._bookmarks[stream.name] = bookmark
            if len(numbers) == self._config.get("state_every", 0):
                self._tell_state()
        if stream.config.get("activates") in ("last", "both"):
            self._voice.say("ACTIVATE_VERSION", stream=stream.name, version=version)
        if stream.method == "FULL_TABLE" and not stream.config.get("remembers"):
            self._bookmarks[stream.name] = {"version": version} if stream.versioned and not forgets else {}
        if self._config.get("state_at_end", True):
            self._tell_state()
        if self._config.get("metrics"):
            point = {"type": "counter", "metric": "record_count", "value": count, "tags": {"endpoint": stream.name}}
            print(f"INFO METRIC: {json.dumps(point)}", file=sys.stderr, flush=True)

    def _announce(self, stream: Stream, n: int) -> None:
        self._voice.say("SCHEMA", stream=stream.name, schema=stream.schema(n), key_properties=stream.key)

    def _tell_rows(self, stream: Stream, numbers: list[int], version: int | None) -> None:
        if batch := stream.config.get("batch"):
            manifest = [str(_write_batch(stream, numbers, **batch))]
            encoding = {"format": "jsonl", "compression": batch.get("compression", "none")}
            self._voice.say("BATCH", stream=stream.name, encoding=encoding, manifest=manifest)
            return
        for n in numbers:
            if n == stream.config.get("drifts", 0) + 1 > 1:
                self._announce(stream, n)
            time.sleep(self._config.get("seconds_a_row", 0))
            members = {} if version is None else {"version": version}
            self._voice.say("RECORD", stream=stream.name, record=stream.row(n), **members)

    def _tell_state(self) -> None:
        self._voice.say("STATE", value={"bookmarks": self._bookmarks})


def _chunks(numbers: Iterator[int], size: int) -> Iterator[list[int]]:
    """The numbers in lists of `size`, the last one shorter; size 0: one list of all."""
    while chunk := list(itertools.islice(numbers, size or None)):
        yield chunk


def _write_batch(stream: Stream, numbers: list[int], folder: str, compression: str = "none") -> Path:
    path = Path(folder) / f"{stream.name}-{numbers[-1]}.jsonl"
    text = "".join(json.dumps(stream.row(n)) + "\n" for n in numbers).encode()
    path.write_bytes(gzip.compress(text) if compression == "gzip" else text)
    return path


def _selected(catalog: Json | None, streams: list[Stream]) -> list[Stream]:
    if catalog is None:
        return streams
    chosen = {entry["tap_stream_id"] for entry in catalog["streams"] if _is_selected(entry)}
    return [stream for stream in streams if stream.name in chosen or stream.config.get("always")]


def _is_selected(entry: Json) -> bool:
    said = [element["metadata"] for element in entry.get("metadata", []) if element["breadcrumb"] == []]
    return any(place.get("selected", False) for place in (*said, entry["schema"]))


def _listen_to_sigterm(seconds: float) -> None:
    def end(number: int, frame: object) -> None:
        time.sleep(seconds)
        os._exit(128 + number)

    signal.signal(signal.SIGTERM, signal.SIG_IGN if seconds < 0 else end)


def _use_up(config: Json, path: Path) -> None:
    """Each token is good once, as a refresh token of OAuth; the source keeps the next one in a file."""
    source = Path(config["rotates"])
    token = config["login"]["token"]
    if source.exists() and token != source.read_text():
        sys.exit(f"ERROR 401 Unauthorized: {token} was used up")
    following = f"{token.rstrip('0123456789')}{int(token.rpartition('-')[2]) + 1}"
    source.write_text(following)
    if config.get("confess"):
        log(f"INFO got {following} for {token}")
    path.write_text(json.dumps({**config, "login": {**config["login"], "token": following}, "expires": 3600}))
    if config.get("confess"):
        log(f"INFO wrote {following}")


def _read(path: str | None) -> Any:
    return json.loads(Path(path).read_text()) if path else None


def main() -> None:
    parser = argparse.ArgumentParser(prog="tap-fake")
    parser.add_argument("--config", required=True)
    parser.add_argument("--catalog")
    parser.add_argument("--properties")
    parser.add_argument("--state")
    parser.add_argument("--discover", action="store_true")
    options = parser.parse_args()
    config = _read(options.config)
    if "at_sigterm" in config:
        _listen_to_sigterm(config["at_sigterm"])
    if "rotates" in config:
        _use_up(config, Path(options.config))
    streams = [Stream(name, about) for name, about in config["streams"].items()]
    if options.discover and config.get("discovers", True):
        print(json.dumps({"streams": [stream.offer() for stream in streams]}))
        return
    heard = [options.catalog, options.properties] if "hears" not in config else [getattr(options, config["hears"])]
    catalog = next(filter(None, heard), None)
    if catalog is not None and config.get("trips"):
        Trips.apply_catalog()
    if catalog is None and "hears" in config:
        return
    Tap(config, _read(options.state) or {}).sync(_selected(_read(catalog), streams))


if __name__ == "__main__":
    main()
