"""What a tap made of its config goes over what it is given, unless a person has said something else since."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.secrets.rewritten import with_its_own

configs = st.dictionaries(
    st.sampled_from("abc"),
    st.integers(0, 2)
    | st.lists(st.integers(0, 1), max_size=1)
    | st.dictionaries(st.sampled_from("xy"), st.integers(0, 2)),
)


@pytest.mark.parametrize(
    ("now", "then", "left", "told"),
    [
        # It rewrote a token, and added when it ends.
        ({"token": 1}, {"token": 1}, {"token": 2, "until": 9}, {"token": 2, "until": 9}),
        # A person set another one; what else the tap wrote stays.
        ({"token": 5}, {"token": 1}, {"token": 2, "until": 9}, {"token": 5, "until": 9}),
        # A person added a setting, and took one out.
        ({"a": 1, "new": 1}, {"a": 1, "old": 1}, {"a": 1, "old": 1}, {"a": 1, "new": 1}),
        # The tap left one out: it is told again.
        ({"a": 1, "b": 1}, {"a": 1, "b": 1}, {"a": 2}, {"a": 2, "b": 1}),
        # Deeper.
        ({"o": {"t": 1, "u": 7}}, {"o": {"t": 1, "u": 1}}, {"o": {"t": 2, "u": 1}}, {"o": {"t": 2, "u": 7}}),
        ({"o": {"t": 1}}, {"o": {"t": 1}}, {"o": "flat now"}, {"o": "flat now"}),
    ],
)
def test_who_spoke_last_about_a_setting_counts(now, then, left, told):
    assert with_its_own(now, then, left) == told


@given(configs, configs)
def test_a_tap_is_told_what_it_wrote_as_long_as_nobody_says_otherwise(config, left):
    told = with_its_own(config, config, left)

    assert told.items() >= {key: value for key, value in left.items() if not isinstance(value, dict)}.items()
    assert told.keys() >= config.keys()


@given(configs)
def test_a_tap_that_was_never_started_is_told_what_it_is_given(config):
    assert with_its_own(config, {}, {}) == config
