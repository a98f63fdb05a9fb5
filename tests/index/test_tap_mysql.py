"""tap-mysql of Stitch, and its heir of PipelineWise, on a MariaDB: whole tables, and what is new since a bookmark."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pymysql
import pytest

from examples.databases import MariaDB, NotProvided
from orchestrator import Workspace
from tests.index.chinook import ROWS, Rows, alike, landed, script
from tests.index.runs import kill_run, read_by

pytestmark = pytest.mark.index

TABLES = {"".join(word.title() for word in table.split("_")): count for table, count in ROWS.items()}
PASSWORD = "no-secret"


@pytest.fixture(scope="module")
def mariadb() -> Iterator[MariaDB]:
    with ExitStack() as stack:
        try:
            server = stack.enter_context(MariaDB(password=PASSWORD))
        except NotProvided as reason:
            pytest.skip(str(reason))
        yield server


@dataclass(frozen=True)
class Source:
    """A database of a test's own."""

    server: MariaDB
    connection: "pymysql.Connection[Any]"
    database: str = "shop"

    def do(self, *statements: str) -> None:
        for statement in statements:
            with self.connection.cursor() as cursor:
                cursor.execute(statement)
                while cursor.nextset():
                    pass

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def held(self, table: str) -> Rows:
        return alike(self.ask(f"select * from {table}"))

    def columns(self, table: str) -> list[str]:
        with self.connection.cursor() as cursor:
            cursor.execute(f"select * from {table} limit 0")
            return [str(column[0]) for column in cursor.description]


@pytest.fixture
def source(mariadb) -> Iterator[Source]:
    with mariadb.connect() as admin, admin.cursor() as cursor:
        cursor.execute("create database shop")
        try:
            with mariadb.connect("shop") as connection:
                source = Source(mariadb, connection)
                source.do(script("Chinook_MySql.sql"))
                yield source
        finally:
            cursor.execute("drop database shop")


@pytest.fixture(params=["tap-mysql==1.17.7", "pipelinewise-tap-mysql==1.6.0"])
def shop(workspace, source, request, monkeypatch):
    """A workspace whose tap `mysql` reads the source."""
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    workspace.add_tap(request.param, id="mysql")
    told = {"host": "127.0.0.1", "port": str(source.server.port), "user": "root", "filter_dbs": source.database}
    workspace.configure("mysql", set={**told, "password": {"env": "SHOP_PASSWORD"}})
    return workspace


def by(workspace: Workspace, stream: str, **settings: str) -> None:
    """How a stream is read from now on."""
    lines = "".join(f'{name} = "{value}"\n' for name, value in settings.items())
    with workspace.paths.config.open("a") as file:
        file.write(f'\n[taps.mysql.streams."{stream}"]\n{lines}')


def by_table(read: Any) -> dict[str, int]:
    """One of the two taps puts the name of the database before that of a table."""
    return {stream.removeprefix("shop-"): count for stream, count in read.items()}


def where(workspace: Workspace, table: str) -> str:
    names = workspace.query("select table_name from information_schema.tables where table_schema = 'mysql'")
    (name,) = {f"shop_{table}", table} & set(names["table_name"].to_pylist())
    return f'mysql."{name}"'


def same_as_source(workspace: Workspace, source: Source) -> bool:
    for table in TABLES:
        there = landed(workspace, where(workspace, table), source.columns(table))
        assert there == source.held(table), table
    return True


def test_whole_tables_land_as_they_are_run_after_run(shop, source):
    assert by_table(read_by(shop, "mysql")) == TABLES
    assert same_as_source(shop, source)

    source.do(
        "update Track set UnitPrice = 1.29, Composer = null where TrackId <= 100",
        "insert into Artist values (1000, 'Ŕépùblika')",
        "update Employee set HireDate = '1999-12-31 23:59:59' where EmployeeId = 1",
        # These taps give the rows of a table a version, and what is not of the last one goes.
        "delete from PlaylistTrack where TrackId <= 100",
    )

    left = len(source.held("PlaylistTrack"))
    assert by_table(read_by(shop, "mysql")) == {**TABLES, "Artist": 276, "PlaylistTrack": left}
    assert same_as_source(shop, source)


def test_of_a_stream_with_a_cursor_only_what_is_new_arrives(shop, source):
    source.do(
        "alter table Customer add column Changed datetime not null default '2026-01-01 00:00:00'",
        "update Customer set Changed = date_add(Changed, interval CustomerId minute)",
    )
    shop.select("mysql", ["shop-Customer", "shop-Invoice"])
    by(shop, "shop-Customer", replication="incremental", cursor="Changed")
    by(shop, "shop-Invoice", replication="incremental", cursor="InvoiceId")

    first = by_table(read_by(shop, "mysql"))
    source.do(
        "update Customer set Email = 'new@example.com', Changed = '2026-02-01' where CustomerId in (3, 5, 8)",
        "insert into Invoice values (413, 1, '2026-02-01', 'Street 1', 'Town', null, 'Land', '1', 12.50)",
    )
    second = by_table(read_by(shop, "mysql"))

    assert first == {"Customer": 59, "Invoice": 412}
    # The row that stands at the bookmark itself comes again.
    assert second == {"Customer": 3 + 1, "Invoice": 1 + 1}
    for table in ("Customer", "Invoice"):
        assert landed(shop, where(shop, table), source.columns(table)) == source.held(table)


def test_a_run_that_is_killed_in_between_loses_nothing_and_doubles_nothing(shop, source):
    shop.discover("mysql")

    with source.server.connect("shop") as holding, holding.cursor() as cursor:
        cursor.execute("lock tables Track write")
        kill_run(shop, "mysql", when=lambda: waits_for_a_lock(source) and shop.history("mysql"))
    source.do("delete from PlaylistTrack where TrackId <= 100", "update Artist set Name = upper(Name)")
    read_by(shop, "mysql")

    assert same_as_source(shop, source)


def waits_for_a_lock(source: Source) -> bool:
    return any("Waiting for table metadata lock" in map(str, row) for row in source.ask("show full processlist"))
