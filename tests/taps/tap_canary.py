"""A tap that tells everybody all that it knows: its config, its arguments and its environment, in every spelling.

ends       how a sync ends: "well", "badly" (an error that shows the config), "garbled" (a line on stdout that is
           no message), or "refused" (an answer 401 that shows an address)
witness    a file to which it writes its arguments and its environment
renews     a file that holds the token which it is given for its `token`, once
"""

import argparse
import base64
import html
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus


def spelled(text: str) -> Iterator[str]:
    yield text
    yield from (quote(text), quote(text, safe=""), quote_plus(text), quote(quote(text)))
    yield from (json.dumps(text), json.dumps(text, ensure_ascii=False), json.dumps(json.dumps(text)))
    yield from (repr(text), repr(text.encode()), html.escape(text))
    for before in ("", "a", "me", "ada:"):
        yield base64.b64encode(f"{before}{text}{before}".encode()).decode()
        yield base64.urlsafe_b64encode(f"{before}{text}".encode()).decode()


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for below in value.values():
            yield from texts(below)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)


def say(**message: Any) -> None:
    print(json.dumps(message), flush=True)


def log(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="tap-fake")
    for option in ("--config", "--catalog", "--state"):
        parser.add_argument(option)
    parser.add_argument("--discover", action="store_true")
    options = parser.parse_args()
    place = Path(options.config)
    config = json.loads(place.read_text())
    Path(config["witness"]).write_text(json.dumps([sys.argv, dict(os.environ)]))
    if "renews" in config and not options.discover:
        config["token"] = Path(config["renews"]).read_text()
        log(f"DEBUG renewed: {config['token']}")
        place.write_text(json.dumps(config))
    for text in (*texts(config), *texts(dict(os.environ))):
        for each in spelled(text):
            log(f"DEBUG GET https://ada:{each}@shop.test/?token={each}")
    log(f"DEBUG {config} {json.dumps(config)} {dict(os.environ)}")
    schema = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": ["null", "string"]}}}
    if options.discover:
        print(json.dumps({"streams": [{"tap_stream_id": "issues", "stream": "issues", "schema": schema}]}))
        return
    say(type="SCHEMA", stream="issues", schema=schema, key_properties=["id"])
    say(type="RECORD", stream="issues", record={"id": 1, "name": "one"})
    say(type="STATE", value={"issues": 1})
    match config["ends"]:
        case "badly":
            raise RuntimeError(f"cannot log in with {config}")
        case "garbled":
            print(f"logging in with {json.dumps(config)} at {' '.join(texts(config))}", flush=True)
        case "refused":
            log(f"CRITICAL 401 Client Error: Unauthorized for url: https://shop.test/?{quote(json.dumps(config))}")
            sys.exit(1)


if __name__ == "__main__":
    main()
