"""A tap that prints rows of 3 kB as fast as they are read: `bytes` of them, with a STATE after each block of 8 MB.

The STATE counts the rows so far.
"""

import argparse
import json
import os
import random
from pathlib import Path

BLOCK = 8_000_000


def say(text: bytes) -> None:
    view = memoryview(text)
    while view:
        view = view[os.write(1, view) :]


def line(**message: object) -> bytes:
    return json.dumps(message).encode() + b"\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", required=True)
    options, _ = parser.parse_known_args()
    size = json.loads(Path(options.config).read_text())["bytes"]
    chance = random.Random(1)
    rows = [{"id": n, "body": chance.randbytes(1500).hex()} for n in range(BLOCK // 3_100)]
    block = b"".join(line(type="RECORD", stream="issues", record=row) for row in rows)
    properties = {"id": {"type": "integer"}, "body": {"type": "string"}}
    say(line(type="SCHEMA", stream="issues", key_properties=[], schema={"properties": properties}))
    for number in range(1, max(1, size // len(block)) + 1):
        say(block)
        say(line(type="STATE", value={"rows": number * len(rows)}))


if __name__ == "__main__":
    main()
