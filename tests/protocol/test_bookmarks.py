"""What people see of a state, and what is taken out of it for one stream."""

import pytest

from orchestrator.protocol.bookmarks import bookmarks, forgetful, midway, remembered, without_stale_mark, without_stream


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (b'{"bookmarks": {"a": {"updated_at": "2024-02-29", "version": 7}}}', {"a": "2024-02-29"}),
        (
            b'{"bookmarks": {"a": {"replication_key_value": 12, "starting_replication_value": 1}}}',
            {"a": "12"},
        ),
        (b'{"bookmarks": {"a": {"partitions": [{}, {}]}}}', {"a": "2 partitions"}),
        (b'{"bookmarks": {"a": {"x": 1, "y": "b", "done": true, "rest": null}}}', {"a": "1, b"}),
        (b'{"bookmarks": {"a": {}, "b": null}, "currently_syncing": "a"}', {}),
        (
            b'{"issues": "2024-02-29", "project_42": 7, "currently_syncing": "issues"}',
            {"issues": "2024-02-29", "project_42": "7"},
        ),
        (b'{"bookmarks": {"a": {"id": 1e400}}}', {"a": "inf"}),
    ],
)
def test_the_position_of_each_stream_can_be_shown(state, shown):
    assert bookmarks(state) == shown


@pytest.mark.parametrize("state", [None, b"0", b"[1]", b'"text"', b"null", b"{}", b"[" * 9999 + b"]" * 9999])
def test_a_state_of_another_form_shows_nothing(state):
    assert bookmarks(state) == {}


def test_taking_a_stream_out_leaves_the_rest_as_the_tap_wrote_it():
    state = b'{"bookmarks": {"a": {"x": 1}, "b": {"x": 1.10, "y": 1E400}}, "currently_syncing": "b"}'

    assert without_stream(state, "a") == b'{"bookmarks":{"b":{"x": 1.10, "y": 1E400}},"currently_syncing":"b"}'
    assert (
        without_stream(state, "never seen")
        == b'{"bookmarks":{"a":{"x": 1},"b":{"x": 1.10, "y": 1E400}},"currently_syncing":"b"}'
    )


@pytest.mark.parametrize(
    ("stream", "left"),
    [
        ("issues", b'{"users":3}'),
        ("users", b'{"issues":1,"project_42_issues":2}'),
    ],
)
def test_a_flat_state_loses_whatever_bears_the_name_of_the_stream(stream, left):
    assert without_stream(b'{"issues": 1, "project_42_issues": 2, "users": 3}', stream) == left


@pytest.mark.parametrize(
    "bookmark", ["project", "project_42", "project_42_7", "group_a-1_project", "group_7_project_42"]
)
@pytest.mark.parametrize(
    "other", ["project_42_issues", "project_milestones", "group_project", "projects", "a_project_b"]
)
def test_a_bookmark_of_another_stream_that_has_the_name_in_its_own_stays(bookmark, other):
    assert without_stream(b'{"%s": 1, "%s": 2}' % (bookmark.encode(), other.encode()), "project") == (
        b'{"%s":2}' % other.encode()
    )
    assert without_stream(b'{"%s": 2}' % other.encode(), "project") is None


def test_a_flat_state_that_does_not_name_the_stream_may_remember_it_in_a_way_of_its_own():
    assert without_stream(b'{"users": 3}', "issues") is None
    assert without_stream(b"{}", "issues") == b"{}"


@pytest.mark.parametrize("state", [b"0", b"[]", b'"issues"', b"null"])
def test_a_state_that_is_no_object_cannot_lose_a_stream(state):
    assert without_stream(state, "issues") is None


def test_a_stream_whose_bookmark_keeps_a_version_is_midway():
    state = b'{"bookmarks": {"a": {"version": 7}, "b": {"updated_at": 1}, "version": 3}}'

    assert midway(state) == {"a"}
    assert midway(b'{"a": {"version": 7}}') == midway(b"[1]") == midway(None) == frozenset()


def test_a_bookmark_without_a_value_remembers_nothing():
    state = b'{"bookmarks": {"a": {"seen": {"x": 1}}, "b": {}, "c": {"value": null, "partitions": []}, "d": 0}}'

    assert remembered(state) == {"a"}
    assert remembered(b'{"a": {"seen": 1}}') == remembered(b"[1]") == remembered(None) == frozenset()


def test_a_stream_that_remembers_a_row_and_not_its_version_cannot_be_gone_on_with():
    row = b'"last_pk_fetched": {"id": 3}'
    state = b'{"bookmarks": {"a": {%s}, "b": {%s, "version": 7}, "c": {"last_pk_fetched": null}}}' % (row, row)

    assert forgetful(state) == {"a"}
    assert forgetful(b'{"a": {%s}}' % row) == forgetful(b"[1]") == forgetful(None) == frozenset()


def test_a_mark_at_a_stream_of_which_nothing_is_remembered_goes():
    begun = b'{"currently_syncing": "a", "bookmarks": {"a": {}, "b": {"id": 1.50}}}'

    assert without_stale_mark(begun, {"a", "b"}) == b'{"bookmarks":{"a": {}, "b": {"id": 1.50}}}'
    assert without_stale_mark(begun, {"b"}) == begun


@pytest.mark.parametrize(
    "state",
    [
        b'{"currently_syncing": "a", "bookmarks": {"a": {"id": 1}}}',
        b'{"currently_syncing": null, "bookmarks": {}}',
        b'{"currently_syncing": "a"}',
        b'{"bookmarks": {}}',
        b'[{"currently_syncing": "a"}]',
        b"",
    ],
)
def test_any_other_state_stays_as_it_was_written(state):
    assert without_stale_mark(state, {"a"}) == state
