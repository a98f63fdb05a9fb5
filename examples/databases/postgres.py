"""PostgreSQL, which writes its log for who reads it by wal2json: log-based replication works."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from examples.databases.debian import NotProvided, Packages
from examples.databases.server import LOOPBACK, Server, check

USER = "postgres"


class PostgreSQL(Server):
    """A PostgreSQL with one user, who may do everything and gives `password`."""

    def __init__(self, port: int = 0, password: str = "let-me-in") -> None:
        super().__init__(port)
        self.password = password

    def packages(self, packages: Packages) -> Sequence[str]:
        version = max((int(match[1]) for match in packages.named(r"postgresql-(\d+)-wal2json")), default=None)
        if version is None:
            raise NotProvided("Debian's packages have no wal2json here")
        return [f"postgresql-{version}", f"postgresql-{version}-wal2json"]

    def prepare(self, packages: Packages, data: Path) -> Sequence[str]:
        (programs,) = packages.root.glob("usr/lib/postgresql/*/bin")
        answer = data.parent / "password"
        answer.write_text(self.password)
        made = ["--pgdata", str(data), "--username", USER, "--auth", "scram-sha-256", "--pwfile", str(answer)]
        check(self.run([str(programs / "initdb"), "--encoding", "UTF8", "--locale", "C", "--no-sync", *made]))
        settings = {
            "port": self.port,
            "listen_addresses": LOOPBACK,
            "unix_socket_directories": "",
            "wal_level": "logical",
            # What it holds is made up, and gone when it ends.
            "fsync": "off",
            "output_plugin_libraries": "wal2json",
        }
        serve = [str(programs / "postgres"), "-D", str(data)]
        # Newer versions, 15.20 for one, ask for leave; the others refuse a setting that they do not know.
        if self.run([*serve, "-C", "output_plugin_libraries"]).returncode:
            del settings["output_plugin_libraries"]
        return [*serve, *(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))]

    def is_ready(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        """A connection whose every statement settles by itself."""
        return psycopg.connect(
            host=LOOPBACK, port=self.port, user=USER, password=self.password, dbname=database, autocommit=True
        )
