"""Catalogs in the shapes that taps print them in, cut down to what tells the shapes apart."""

import copy
import json
from typing import Any

from orchestrator.catalogs import Catalog, read_catalog

Document = dict[str, Any]


def printed(document: Document) -> bytes:
    return json.dumps(document, indent=2).encode()


def catalog(document: Document) -> Catalog:
    return read_catalog(printed(document))


def changed(document: Document) -> Document:
    """A copy to change."""
    return copy.deepcopy(document)


def at(entry: Document, *breadcrumb: str) -> Document:
    """What the metadata of a stream says at a breadcrumb."""
    said: list[Document] = [each["metadata"] for each in entry["metadata"] if each["breadcrumb"] == list(breadcrumb)]
    assert len(said) == 1
    return said[0]


# singer-sdk: the stream says by itself that it is selected, nested properties have breadcrumbs of their own.
TRACKER: Document = {
    "streams": [
        {
            "tap_stream_id": "issues",
            "replication_key": "updated_at",
            "replication_method": "INCREMENTAL",
            "key_properties": ["id", "project_id"],
            "schema": {
                "type": "object",
                "properties": {
                    "id": {"type": "integer"},
                    "project_id": {"type": "integer"},
                    "title": {"type": ["string", "null"]},
                    "description": {"type": ["string", "null"]},
                    "updated_at": {"type": "string", "format": "date-time"},
                    "author": {
                        "type": ["object", "null"],
                        "properties": {
                            "id": {"type": "integer"},
                            "name": {"type": "string"},
                            "address": {"type": "object", "properties": {"city": {"type": "string"}}},
                        },
                    },
                    "labels": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {"name": {"type": "string"}, "color": {"type": "string"}},
                        },
                    },
                },
            },
            "stream": "issues",
            "metadata": [
                {"breadcrumb": ["properties", "id"], "metadata": {"inclusion": "automatic"}},
                {"breadcrumb": ["properties", "project_id"], "metadata": {"inclusion": "automatic"}},
                {"breadcrumb": ["properties", "title"], "metadata": {"inclusion": "available"}},
                {"breadcrumb": ["properties", "description"], "metadata": {"inclusion": "available"}},
                {"breadcrumb": ["properties", "updated_at"], "metadata": {"inclusion": "automatic"}},
                {"breadcrumb": ["properties", "author"], "metadata": {"inclusion": "available"}},
                {"breadcrumb": ["properties", "author", "properties", "id"], "metadata": {"inclusion": "available"}},
                {"breadcrumb": ["properties", "author", "properties", "name"], "metadata": {"inclusion": "available"}},
                {
                    "breadcrumb": ["properties", "author", "properties", "address"],
                    "metadata": {"inclusion": "available"},
                },
                {
                    "breadcrumb": ["properties", "author", "properties", "address", "properties", "city"],
                    "metadata": {"inclusion": "available"},
                },
                {"breadcrumb": ["properties", "labels"], "metadata": {"inclusion": "available"}},
                {
                    "breadcrumb": [],
                    "metadata": {
                        "inclusion": "available",
                        "selected": True,
                        "selected-by-default": True,
                        "table-key-properties": ["id", "project_id"],
                        "valid-replication-keys": ["updated_at"],
                    },
                },
            ],
        },
        {
            "tap_stream_id": "projects",
            "replication_method": "FULL_TABLE",
            "key_properties": ["id"],
            "schema": {
                "type": "object",
                "properties": {"id": {"type": "integer"}, "name": {"type": "string"}, "secret": {"type": "string"}},
            },
            "stream": "projects",
            "metadata": [
                {"breadcrumb": ["properties", "id"], "metadata": {"inclusion": "automatic"}},
                {"breadcrumb": ["properties", "name"], "metadata": {"inclusion": "available"}},
                {
                    "breadcrumb": ["properties", "secret"],
                    "metadata": {"inclusion": "available", "selected-by-default": False},
                },
                {
                    "breadcrumb": [],
                    "metadata": {
                        "inclusion": "available",
                        "selected": True,
                        "selected-by-default": True,
                        "table-key-properties": ["id"],
                    },
                },
            ],
        },
        {
            "tap_stream_id": "audit_events",
            "replication_method": "FULL_TABLE",
            "key_properties": [],
            "schema": {"type": "object", "properties": {"at": {"type": "string"}, "what": {"type": "string"}}},
            "stream": "audit_events",
            "metadata": [
                {"breadcrumb": ["properties", "at"], "metadata": {"inclusion": "available"}},
                {"breadcrumb": ["properties", "what"], "metadata": {"inclusion": "available"}},
                {
                    "breadcrumb": [],
                    "metadata": {"inclusion": "available", "selected": False, "selected-by-default": False},
                },
            ],
        },
    ]
}

# singer-python over a database: no method is chosen, inclusion stands in the schema, a view has no key.
SHOP: Document = {
    "streams": [
        {
            "tap_stream_id": "shop-orders",
            "table_name": "orders",
            "schema": {
                "type": "object",
                "properties": {
                    "id": {"inclusion": "automatic", "minimum": -2147483648, "type": ["null", "integer"]},
                    "total": {"inclusion": "available", "multipleOf": 1e-10, "type": ["null", "number"]},
                    "changed": {"inclusion": "available", "format": "date-time", "type": ["null", "string"]},
                    "shape": {"inclusion": "unsupported", "description": "Unsupported column type geometry"},
                },
            },
            "stream": "orders",
            "metadata": [
                {
                    "breadcrumb": [],
                    "metadata": {
                        "selected-by-default": False,
                        "database-name": "shop",
                        "row-count": 3,
                        "is-view": False,
                        "table-key-properties": ["id"],
                    },
                },
                {
                    "breadcrumb": ["properties", "id"],
                    "metadata": {"selected-by-default": True, "sql-datatype": "int(11)"},
                },
                {
                    "breadcrumb": ["properties", "total"],
                    "metadata": {"selected-by-default": True, "sql-datatype": "decimal(12,10)"},
                },
                {
                    "breadcrumb": ["properties", "changed"],
                    "metadata": {"selected-by-default": True, "sql-datatype": "datetime"},
                },
                {
                    "breadcrumb": ["properties", "shape"],
                    "metadata": {"selected-by-default": False, "sql-datatype": "geometry"},
                },
            ],
        },
        {
            "tap_stream_id": "shop-best_customers",
            "table_name": "best_customers",
            "schema": {
                "type": "object",
                "properties": {"email": {"inclusion": "available", "type": ["null", "string"]}},
            },
            "stream": "best_customers",
            "metadata": [
                {
                    "breadcrumb": [],
                    "metadata": {"selected-by-default": False, "database-name": "shop", "is-view": True},
                },
                {
                    "breadcrumb": ["properties", "email"],
                    "metadata": {"selected-by-default": True, "sql-datatype": "varchar(80)"},
                },
            ],
        },
    ]
}

# singer-sdk over a database: words that say nothing are there, and empty.
WAREHOUSE: Document = {
    "streams": [
        {
            "tap_stream_id": "public-users",
            "table_name": "users",
            "replication_method": "",
            "key_properties": ["id"],
            "schema": {"type": "object", "properties": {"id": {"type": ["integer"]}, "name": {"type": ["string"]}}},
            "is_view": False,
            "stream": "public-users",
            "metadata": [
                {"breadcrumb": ["properties", "id"], "metadata": {"inclusion": "automatic"}},
                {"breadcrumb": ["properties", "name"], "metadata": {"inclusion": "available"}},
                {
                    "breadcrumb": [],
                    "metadata": {
                        "inclusion": "available",
                        "table-key-properties": ["id"],
                        "forced-replication-method": "",
                        "schema-name": "public",
                    },
                },
            ],
        }
    ]
}

# singer-python over an API: the method is forced, the key only offered.
PAYMENTS: Document = {
    "streams": [
        {
            "stream": "charges",
            "tap_stream_id": "charges",
            "key_properties": ["id"],
            "schema": {
                "type": ["null", "object"],
                "properties": {
                    "id": {"type": ["null", "string"]},
                    "created": {"type": ["null", "string"], "format": "date-time"},
                    "amount": {"type": ["null", "integer"]},
                },
            },
            "metadata": [
                {
                    "breadcrumb": [],
                    "metadata": {
                        "table-key-properties": ["id"],
                        "forced-replication-method": "INCREMENTAL",
                        "valid-replication-keys": ["created"],
                        "inclusion": "available",
                    },
                },
                {"breadcrumb": ["properties", "id"], "metadata": {"inclusion": "automatic"}},
                {"breadcrumb": ["properties", "created"], "metadata": {"inclusion": "available"}},
                {"breadcrumb": ["properties", "amount"], "metadata": {"inclusion": "available"}},
            ],
        }
    ]
}

# A tap that takes --properties: no metadata, everything stands on the stream and in its schema.
OLD: Document = {
    "streams": [
        {
            "stream": "contacts",
            "tap_stream_id": "contacts",
            "key_properties": "vid",
            "replication_key": "modified",
            "schema": {
                "type": "object",
                "properties": {
                    "vid": {"type": "integer", "inclusion": "automatic"},
                    "modified": {"type": "string", "format": "date-time"},
                    "notes": {"type": "string"},
                    "owner": {"type": "object", "properties": {"name": {"type": "string"}, "mail": {"type": "string"}}},
                    "anything": True,
                },
            },
        },
        {"stream": "owners", "schema": {}},
    ]
}

ALL = {"tracker": TRACKER, "shop": SHOP, "warehouse": WAREHOUSE, "payments": PAYMENTS, "old": OLD}
