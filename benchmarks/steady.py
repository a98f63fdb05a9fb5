"""A tap that prints a file at a steady pace. A program: it takes the file and how many lines a second."""

import itertools
import sys
import time

_LINES_AT_ONCE = 500


def main() -> None:
    path, lines_a_second = sys.argv[1], int(sys.argv[2])
    began = time.perf_counter()
    with open(path, "rb") as messages:
        printed = 0
        while lines := list(itertools.islice(messages, _LINES_AT_ONCE)):
            sys.stdout.buffer.writelines(lines)
            sys.stdout.buffer.flush()
            printed += len(lines)
            time.sleep(max(0.0, began + printed / lines_a_second - time.perf_counter()))


if __name__ == "__main__":
    main()
