"""A PostgreSQL with a shop in it, until SIGTERM or SIGINT; the first line on stdout is its address. With --do, it runs
SQL in one that serves already."""

import argparse
import signal
import sys

from examples.databases import NotProvided, PostgreSQL
from examples.databases.server import LOOPBACK

STOPS = {signal.SIGTERM, signal.SIGINT}

SHOP = """
    create table customers (id int primary key, name text not null, town text, changed_at timestamptz not null);
    insert into customers
        select n, 'Customer ' || n, 'Town ' || n % 7, timestamptz '2026-01-01 08:00Z' + n * interval '1 hour'
        from generate_series(1, 40) as n;
    create table orders (
        id int primary key,
        customer_id int not null references customers,
        total numeric(10, 2) not null,
        placed_at timestamptz not null,
        changed_at timestamptz not null
    );
    insert into orders
        select n, 1 + n % 40, n * 1.25, placed_at, placed_at
        from generate_series(1, 1000) as n
        cross join lateral (values (timestamptz '2026-01-01 09:00Z' + n * interval '1 minute')) as clock (placed_at);
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.databases", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument("--do", metavar="SQL", help="run this in the PostgreSQL that serves on the port, and end")
    asked = parser.parse_args()
    if asked.do:
        with PostgreSQL(asked.port).connect("shop") as connection:
            print(connection.execute(asked.do).statusmessage)
        return

    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        with PostgreSQL(asked.port) as postgres:
            with postgres.connect() as connection:
                connection.execute("create database shop")
            with postgres.connect("shop") as connection:
                connection.execute(SHOP)
            print(f"postgresql://postgres:{postgres.password}@{LOOPBACK}:{postgres.port}/shop", flush=True)
            signal.sigwait(STOPS)
    except NotProvided as reason:
        sys.exit(f"not provided: {reason}")


if __name__ == "__main__":
    main()
