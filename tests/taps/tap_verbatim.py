"""A tap that says the messages in its config, word for word, and logs the state that it was started with.

messages    what it prints: each a JSON value or a line of text
catalog     what it offers; without it, it has no discovery
"""

import argparse
import json
import sys
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(prog="tap-verbatim")
    for option in ("config", "catalog", "state"):
        parser.add_argument(f"--{option}")
    parser.add_argument("--discover", action="store_true")
    options = parser.parse_args()
    config = json.loads(Path(options.config).read_text())
    if options.discover:
        print(json.dumps(config["catalog"]))
        return
    for message in config["messages"]:
        print(message, flush=True)
    if options.state:
        # At its end, as taps do that look again where they began.
        print(f"INFO began at {Path(options.state).read_text()}", file=sys.stderr)


if __name__ == "__main__":
    main()
