"""MariaDB, as the taps of MySQL read it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pymysql
from pymysql.constants import CLIENT

from examples.databases.debian import Packages
from examples.databases.server import LOOPBACK, Server, check

USER = "root"


class MariaDB(Server):
    """A MariaDB with one user, who may do everything and gives `password`."""

    def __init__(self, port: int = 0, password: str = "let-me-in") -> None:
        super().__init__(port)
        self.password = password

    def packages(self, packages: Packages) -> Sequence[str]:
        return ["mariadb-server-core"]

    def prepare(self, packages: Packages, data: Path) -> Sequence[str]:
        usr, share = packages.root / "usr", packages.root / "usr" / "share" / "mysql"
        serve = [
            str(usr / "sbin" / "mariadbd"),
            # First: no file of the machine has a say.
            "--no-defaults",
            f"--datadir={data}",
            f"--basedir={usr}",
            f"--lc-messages-dir={share}",
            f"--plugin-dir={usr / 'lib' / 'mysql' / 'plugin'}",
            # A user is one of an address, and not of the name that the machine has for it.
            "--skip-name-resolve",
        ]
        tables = ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql")
        statements = [
            b"create database mysql;\nuse mysql;\nset @auth_root_socket = null;\n",
            *((share / name).read_bytes() for name in tables),
            b"\nflush privileges;\n",
            f"set password for '{USER}'@'{LOOPBACK}' = password('{self.password}');\n".encode(),
        ]
        check(self.run([*serve, "--bootstrap"], stdin=b"".join(statements)))
        return [*serve, f"--bind-address={LOOPBACK}", f"--port={self.port}", f"--socket={data / 'socket'}"]

    def is_ready(self) -> bool:
        try:
            self.connect().close()
        except pymysql.OperationalError:
            return False
        return True

    def connect(self, database: str | None = None) -> "pymysql.Connection[Any]":
        """A connection whose every statement settles by itself; one call may hold many statements."""
        return pymysql.connect(
            host=LOOPBACK,
            port=self.port,
            user=USER,
            password=self.password,
            database=database,
            autocommit=True,
            client_flag=CLIENT.MULTI_STATEMENTS,
        )
