"""What DuckDB does by itself: the yardstick for us. A program, so that it is measured as every other one is.

Its first argument names one of the functions below, the others are what that takes.
"""

import json
import sys

import duckdb


def _selected(bare: str, types: str) -> str:
    columns = ", ".join(f"'{name}': '{type}'" for name, type in json.loads(types).items())
    return f"SELECT * FROM read_json('{bare}', format = 'newline_delimited', columns = {{{columns}}})"


def read_json(bare: str, types: str, out: str) -> None:
    """Bare rows into a table of a file, with one thread."""
    with duckdb.connect(out, config={"threads": 1}) as connection:
        connection.execute(f"CREATE TABLE rows AS {_selected(bare, types)}")


def read_json_to_parquet(bare: str, types: str, out: str) -> None:
    """Bare rows into a parquet file, with one thread."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(f"COPY ({_selected(bare, types)}) TO '{out}' (FORMAT parquet, COMPRESSION zstd)")


def insert_parquet(out: str, *files: str) -> None:
    """Parquet files into a table of a file."""
    paths = ", ".join(f"'{file}'" for file in files)
    with duckdb.connect(out) as connection:
        connection.execute(f"CREATE TABLE rows AS FROM read_parquet([{paths}]) LIMIT 0")
        connection.execute(f"INSERT INTO rows FROM read_parquet([{paths}])")


def merge(database: str, table: str, key: str, changes: str) -> None:
    """Rows of an Arrow file into a table: they take the place of those with the same key."""
    import pyarrow as pa

    with duckdb.connect(database) as connection, pa.memory_map(changes) as file:
        rows = pa.ipc.open_file(file).read_all()
        connection.register("changes", rows)
        columns = [f'"{name}"' for name in rows.column_names]
        connection.execute(
            f"MERGE INTO {table} AS held USING changes ON held.{key} = changes.{key} "
            f"WHEN MATCHED THEN UPDATE SET {', '.join(f'{name} = changes.{name}' for name in columns)} "
            f"WHEN NOT MATCHED THEN INSERT ({', '.join(columns)}) "
            f"VALUES ({', '.join(f'changes.{name}' for name in columns)})"
        )


# ── what is made for others to be measured with ──


def to_parquet(bare: str, types: str, folder: str, rows: str) -> None:
    """Bare rows as parquet files of so many rows each, named as they are numbered."""
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE rows AS {_selected(bare, types)}")
        (total,) = connection.execute("SELECT count(*) FROM rows").fetchone() or (0,)
        for number, start in enumerate(range(0, total, int(rows))):
            part = f"SELECT * FROM rows LIMIT {rows} OFFSET {start}"
            connection.execute(f"COPY ({part}) TO '{folder}/{number}.parquet' (FORMAT parquet)")


def multiply(database: str, table: str, key: str, sequence: str, times: str) -> None:
    """So many times the rows that a table holds, under keys that follow each other."""
    with duckdb.connect(database) as connection:
        (held,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)
        connection.execute(
            f"INSERT INTO {table} "
            f"SELECT held.* REPLACE (n * {held} + {key} AS {key}, n * {held} + {sequence} AS {sequence}) "
            f"FROM {table} AS held, range(1, {times}) AS turns(n) ORDER BY n"
        )


def since(database: str, table: str, sequence: str, base: str, out: str) -> None:
    """The rows of a table that came after all of another database's, as an Arrow file."""
    import pyarrow as pa

    with duckdb.connect(database, read_only=True) as connection:
        connection.execute(f"ATTACH '{base}' AS base (READ_ONLY)")
        rows = connection.execute(
            f"SELECT * FROM {table} WHERE {sequence} > (SELECT max({sequence}) FROM base.{table})"
        ).to_arrow_table()
    with pa.OSFile(out, "wb") as file, pa.ipc.new_file(file, rows.schema) as writer:
        writer.write_table(rows)


if __name__ == "__main__":
    verbs = (read_json, read_json_to_parquet, insert_parquet, merge, to_parquet, multiply, since)
    {verb.__name__: verb for verb in verbs}[sys.argv[1]](*sys.argv[2:])
