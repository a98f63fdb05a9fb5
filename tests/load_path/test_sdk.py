"""The Singer SDK's own standard tests of a target, and every stream it ships for them, against the real command."""

import importlib.resources
import subprocess
from pathlib import Path
from typing import IO, Any

import pytest
from singer_sdk.exceptions import MissingKeyPropertiesError, RecordsWithoutSchemaException
from singer_sdk.testing import SuiteConfig, TargetTestRunner, target_test_streams
from singer_sdk.testing.suites import target_tests
from singer_sdk.testing.target_tests import TargetInvalidSchemaTest, TargetRecordMissingRequiredProperty

from tests.load_path.agreement import check
from tests.load_path.faithful import read_json
from tests.load_path.places import COMMAND, Place, surroundings
from tests.load_path.reference import Reference

STREAMS = Path(str(importlib.resources.files(target_test_streams)))

STANDARD = [
    *(test for test in target_tests.tests if test is not TargetInvalidSchemaTest),
    # It is no part of the SDK's suite, but its stream is shipped.
    TargetRecordMissingRequiredProperty,
    pytest.param(
        TargetInvalidSchemaTest,
        marks=pytest.mark.xfail(
            strict=True, reason="a schema without properties is a legal one; its rows land with what members they have"
        ),
    ),
]
REFUSALS = {
    "comes before its SCHEMA": RecordsWithoutSchemaException,
    "which is part of the key": MissingKeyPropertiesError,
}
"""What the SDK raises where we say these words."""
LANDS = {
    "array_data": {"test_array_data": 4},
    "camelcase": {"TestCamelcase": 2},
    "camelcase_complex_schema": {"ForecastingTypeToCategory": 0},
    "duplicate_records": {"test_duplicate_records": 2},
    "encoded_string_data": {"test_strings": 11, "test_strings_in_objects": 11, "test_strings_in_arrays": 6},
    "invalid_schema": {"test_invalid_schema": 0},
    "multiple_state_messages": {"test_multiple_state_messages_a": 6, "test_multiple_state_messages_b": 6},
    "no_primary_keys": {"test_no_pk": 3},
    "no_primary_keys no_primary_keys_append": {"test_no_pk": 8},
    "optional_attributes": {"test_optional_attributes": 4},
    "pk_updates": {"example_stream": 2},
    "record_before_schema": {},
    "record_missing_fields": {"record_missing_fields": 2},
    "record_missing_key_property": {},
    "record_missing_required_property": {"test_record_missing_required_property": 1},
    "schema_no_properties": {"test_object_schema_with_properties": 2, "test_object_schema_no_properties": 2},
    "schema_updates": {"test_schema_updates": 6},
    "special_chars_in_attributes": {"test:SpecialChars!in?attributes": 1},
    "user_location_data": {"test_users": 5, "test_locations": 3, "test_user_in_location": 3},
    "user_location_data user_location_upsert_data": {"test_users": 8, "test_locations": 5, "test_user_in_location": 5},
}
"""The rows that each of the SDK's streams leaves, or two of them one after the other."""


class Target:
    """As much of a target of the SDK as its tests call, around the real command."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._place: Place = config["place"]

    def process_lines(self, lines: IO[str]) -> None:
        # The SDK leaves it open.
        with lines:
            said = self._place.load(lines.read().encode())
        print(*(state.decode() for state in said.states), sep="\n")
        if said.exit_code:
            raise next(error for words, error in REFUSALS.items() if words in said.err)(said.err)

    def process_endofpipe(self) -> None:
        """The command has ended with its input."""

    def print_version(self) -> None:
        subprocess.run([*COMMAND[:-1], "--version"], env=surroundings(), check=True, stdout=subprocess.PIPE)

    def print_about(self, output_format: str | None = None) -> None:
        subprocess.run([*COMMAND, "--help"], env=surroundings(), check=True, stdout=subprocess.PIPE)


@pytest.mark.parametrize("test", STANDARD, ids=lambda test: test.name)
def test_a_standard_test_of_the_sdk_passes_and_its_rows_land(place, test):
    runner = TargetTestRunner(Target, config={"place": place})  # type: ignore[arg-type]

    test().run(SuiteConfig(), None, runner)

    if test.name in LANDS:
        reference = Reference()
        told = reference.load((STREAMS / f"{test.name}.singer").read_bytes())
        assert runner.state_messages == told.states
        check(place, reference)
        assert {name: len(table.rows) for name, table in place.tables().items()} == LANDS[test.name]


@pytest.mark.parametrize("names", LANDS)
def test_the_streams_of_the_sdk_land_one_after_the_other(place, names):
    reference = Reference(commit_rows=3)
    for name in names.split():
        text = (STREAMS / f"{name}.singer").read_bytes()

        said = place.load(text, "--commit-rows", "3")

        told = reference.load(text)
        assert (said.exit_code == 0) == (told.refused is None), said.err
        assert [read_json(state) for state in said.states] == told.states
    check(place, reference)
    assert {name: len(table.rows) for name, table in place.tables().items()} == LANDS[names]


def test_no_stream_of_the_sdk_is_left_out():
    assert {path.stem for path in STREAMS.glob("*.singer")} == {name for names in LANDS for name in names.split()}
