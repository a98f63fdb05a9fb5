"""Whether a place holds what the reference says."""

from tests.load_path.faithful import holds, read_json
from tests.load_path.places import Place
from tests.load_path.reference import Reference


def check(place: Place, reference: Reference) -> None:
    """The tables are those of the reference, to the row and in its order, and so is the state."""
    tables = place.tables()
    assert tables.keys() == reference.streams.keys()
    for name, stream in reference.streams.items():
        table = tables[name]
        assert table.columns.keys() == stream.columns
        assert table.deleted == [row.deleted for row in stream.rows], name
        for landed, row in zip(table.rows, stream.rows, strict=True):
            for column, type in table.types.items():
                sent = row.values.get(column)
                # What was text before it became JSON is a JSON string.
                was_text = column in stream.retyped and type == "JSON"
                value = landed[column]
                assert holds(value, "JSON text" if was_text else type, sent), (name, column, type, value, sent)
    held = place.state()
    assert (None if held is None else read_json(held)) == reference.state
