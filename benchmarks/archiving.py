"""Writes a file of messages into an archive as a run does. A program: it takes the file and the archive."""

import sys
from pathlib import Path

from orchestrator.state import ArchiveWriter

_BLOCK = 1 << 20


def main() -> None:
    source, archive = map(Path, sys.argv[1:])
    with source.open("rb") as messages, ArchiveWriter(archive) as writer:
        while block := messages.read(_BLOCK):
            writer.write(block)


if __name__ == "__main__":
    main()
