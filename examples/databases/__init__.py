"""Database servers to try things on: real ones, on a loopback port, gone when they are left.

    with PostgreSQL() as postgres:                  # or: python -m examples.databases --port 5433
        with postgres.connect() as connection: ...

| file | is |
|---|---|
| `debian.py` | Debian's packages, unpacked in a folder: nothing is installed |
| `server.py` | a server from start to end: its folder, its port, its process |
| `postgres.py` | PostgreSQL, which writes its log for who reads it by wal2json |
| `mariadb.py` | MariaDB |
"""

from examples.databases.debian import NotProvided
from examples.databases.mariadb import MariaDB
from examples.databases.postgres import PostgreSQL

__all__ = ["MariaDB", "NotProvided", "PostgreSQL"]
