"""meltanolabs-tap-postgres on a PostgreSQL: whole tables, what is new since a bookmark, and the log of the database."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from examples.databases import NotProvided, PostgreSQL
from orchestrator import Workspace
from tests.index.chinook import ROWS, Rows, alike, has, landed, script
from tests.index.runs import kill_run, read_by
from tests.workspaces import wait_until

pytestmark = pytest.mark.index

STREAMS = {f"public-{table}": count for table, count in ROWS.items()}
PASSWORD = "no-secret"


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgreSQL]:
    with ExitStack() as stack:
        try:
            server = stack.enter_context(PostgreSQL(password=PASSWORD))
        except NotProvided as reason:
            pytest.skip(str(reason))
        with server.connect() as connection:
            connection.execute("create database chinook")
        with server.connect("chinook") as connection:
            connection.execute(script("Chinook_PostgreSql.sql"))
        yield server


@dataclass(frozen=True)
class Source:
    """A database of a test's own."""

    server: PostgreSQL
    connection: "psycopg.Connection[tuple[Any, ...]]"
    database: str = "shop"

    def do(self, *statements: str) -> None:
        for statement in statements:
            self.connection.execute(statement)

    def ask(self, sql: str) -> Any:
        """The first value of the answer."""
        row = self.connection.execute(sql).fetchone()
        return row[0] if row else None

    def held(self, table: str) -> Rows:
        return alike(self.connection.execute(f"select * from {table}"))

    def columns(self, table: str) -> list[str]:
        described = self.connection.execute(f"select * from {table} limit 0").description or ()
        return [column.name for column in described]


@pytest.fixture
def source(postgres) -> Iterator[Source]:
    with postgres.connect() as admin:
        admin.execute("create database shop template chinook")
        try:
            with postgres.connect("shop") as connection:
                yield Source(postgres, connection)
        finally:
            # What a killed tap still waits for is none of the next test's business.
            admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'shop'")
            admin.execute("select pg_drop_replication_slot(slot_name) from pg_replication_slots where not active")
            admin.execute("drop database shop with (force)")


@pytest.fixture
def shop(workspace, source, monkeypatch):
    """A workspace whose tap `postgres` reads the source."""
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    workspace.add_tap("meltanolabs-tap-postgres==0.10.0")
    told = {"host": "127.0.0.1", "port": source.server.port, "user": "postgres", "database": source.database}
    # By themselves they would also be read: the tables in which PostgreSQL describes the others.
    workspace.configure("postgres", set={**told, "password": {"env": "SHOP_PASSWORD"}, "filter_schemas": ["public"]})
    return workspace


def by(workspace: Workspace, stream: str, **settings: str) -> None:
    """How a stream is read from now on."""
    lines = "".join(f'{name} = "{value}"\n' for name, value in settings.items())
    with workspace.paths.config.open("a") as file:
        file.write(f'\n[taps.postgres.streams."{stream}"]\n{lines}')


def same_as_source(workspace: Workspace, source: Source) -> bool:
    for table in ROWS:
        there = landed(workspace, f"postgres.public_{table}", source.columns(table))
        assert there == source.held(table), table
    return True


def test_whole_tables_land_as_they_are_run_after_run(shop, source):
    assert read_by(shop, "postgres") == STREAMS
    assert same_as_source(shop, source)

    source.do(
        "update track set unit_price = 1.29, composer = null where track_id <= 100",
        "insert into artist values (1000, 'Ŕépùblika 🎸')",
        "update employee set hire_date = '1999-12-31 23:59:59.123456' where employee_id = 1",
    )

    assert read_by(shop, "postgres") == {**STREAMS, "public-artist": 276}
    assert same_as_source(shop, source)


def test_of_a_stream_with_a_cursor_only_what_is_new_arrives(shop, source):
    source.do(
        "alter table customer add column changed timestamp not null default '2026-01-01 00:00:00'",
        "update customer set changed = changed + customer_id * interval '1 minute'",
    )
    shop.select("postgres", ["public-customer", "public-invoice"])
    by(shop, "public-customer", replication="incremental", cursor="changed")
    by(shop, "public-invoice", replication="incremental", cursor="invoice_id")

    first = read_by(shop, "postgres")
    source.do(
        "update customer set email = 'new@example.com', changed = '2026-02-01' where customer_id in (3, 5, 8)",
        "insert into invoice values (413, 1, '2026-02-01', 'Street 1', 'Town', null, 'Land', '1', 12.50)",
    )
    second = read_by(shop, "postgres")

    assert first == {"public-customer": 59, "public-invoice": 412}
    # The row that stands at the bookmark itself comes again.
    assert second == {"public-customer": 3 + 1, "public-invoice": 1 + 1}
    for table in ("customer", "invoice"):
        assert landed(shop, f"postgres.public_{table}", source.columns(table)) == source.held(table)


def test_a_run_that_is_killed_in_between_loses_nothing_and_doubles_nothing(shop, source):
    by(shop, "public-invoice_line", replication="incremental", cursor="invoice_line_id")
    shop.discover("postgres")

    # Streams come by their names: of the eleven, all before this one are committed then.
    with source.server.connect("shop") as holding, holding.transaction():
        holding.execute("lock table track in access exclusive mode")
        kill_run(shop, "postgres", when=lambda: waits_for_a_lock(source) and shop.history("postgres"))
        got_so_far = landed(shop, "postgres.public_invoice_line", source.columns("invoice_line"))
        got_beyond = has(shop, "public_track")
    lines_before = source.held("invoice_line")
    source.do("insert into invoice_line select 2240 + n, 1, n, 0.99, 1 from generate_series(1, 3) as n")
    read = read_by(shop, "postgres")

    assert got_so_far == lines_before
    assert not got_beyond
    assert read == {**STREAMS, "public-invoice_line": 3 + 1}
    assert same_as_source(shop, source)


def waits_for_a_lock(source: Source) -> bool:
    return bool(source.ask("select count(*) from pg_locks where not granted"))


def test_the_log_of_the_database_brings_what_was_changed_and_what_was_deleted(shop, source):
    follow_the_log(shop, source)

    first = read_by(shop, "postgres")
    source.do(
        "insert into artist values (1000, 'One'), (1001, 'Two')",
        "update artist set name = 'Three' where artist_id = 1000",
        "delete from artist where artist_id = 1001",
        "update album set title = upper(title) where album_id <= 5",
        "delete from playlist_track where track_id = 1",
    )
    second = read_by(shop, "postgres")
    third = read_by(shop, "postgres")

    assert first == FOLLOWED
    assert second == {"public-artist": 4, "public-album": 5, "public-playlist_track": 3}
    assert third == {}
    assert_followed(shop, source)


def test_a_change_is_not_lost_when_the_run_that_read_it_from_the_log_is_killed(shop, source):
    follow_the_log(shop, source, replication_idle_exit_seconds=5)
    read_by(shop, "postgres")
    source.do("delete from playlist_track where track_id = 1", "insert into artist values (1000, 'One')")
    changed = source.ask("select pg_current_wal_insert_lsn()")

    def was_sent_a_second_ago() -> bool:
        sent = source.ask(f"select sent_lsn >= '{changed}' from pg_stat_replication")
        time.sleep(1 if sent else 0)
        return bool(sent)

    kill_run(shop, "postgres", when=was_sent_a_second_ago)
    # A tap that lived on would wait whether more comes, and then confirm to the database what nobody has.
    wait_until(lambda: not source.ask("select active from pg_replication_slots"), seconds=30)
    read = read_by(shop, "postgres")

    assert read == {"public-artist": 1, "public-playlist_track": 3}
    assert_followed(shop, source)


FOLLOWED = {name: STREAMS[name] for name in ("public-artist", "public-album", "public-playlist_track")}


def follow_the_log(workspace: Workspace, source: Source, **settings: object) -> None:
    """What `docs/how-to/read-postgresql.md` tells to do."""
    source.do("select pg_create_logical_replication_slot('tappostgres', 'wal2json')")
    once = {"log_based_single_connection": True, "auto_bootstrap_log_based": True, "replication_idle_exit_seconds": 1}
    workspace.configure("postgres", set={**once, **settings})
    workspace.select("postgres", list(FOLLOWED))
    by(workspace, "*", replication="log_based")


def assert_followed(workspace: Workspace, source: Source) -> None:
    for table in ("artist", "album", "playlist_track"):
        assert landed(workspace, f"postgres.public_{table}", source.columns(table)) == source.held(table)
