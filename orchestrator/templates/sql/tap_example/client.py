"""How the database is asked. SQLAlchemy speaks to it; all but SQLite need a driver in pyproject.toml."""

from singer_sdk.sql import SQLConnector, SQLStream


class ExampleConnector(SQLConnector):
    """Connects, and finds out what tables there are and of which types their columns are.

    Methods to override: `get_sqlalchemy_url` for an address made of several settings, `to_jsonschema_type` for types
    that are the database's own.
    """


class ExampleStream(SQLStream):
    """One table. With a replication key it is read in the order of it, from the bookmark on.

    Which column that is, whoever runs the tap decides; in orchestrator.toml:

        [taps.example-id.streams."main-items"]
        replication = "incremental"
        cursor      = "updated_at"
    """

    connector_class = ExampleConnector
