"""The deliberate mistakes of `make faults` can still be made, each where it was meant to be."""

import ast

import pytest

from tests.faults.mutations import GUARANTEES, MUTATIONS, ROOT, Mutation, with_list


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.mistake)
def test_a_mistake_can_be_made_and_there_is_a_test_for_it(mutation):
    ast.parse(mutation.made_in(ROOT))

    file, _, test = mutation.caught_by.partition("::")
    assert f"def {test}(" in (ROOT / file).read_text()


def test_a_mistake_that_cannot_be_made_any_more_is_told():
    gone = Mutation("", "orchestrator/durable.py", "what is not there", "", "")

    with pytest.raises(ValueError, match="0 times"):
        gone.made_in(ROOT)


def test_the_list_of_mistakes_stands_in_the_guarantees():
    assert with_list(GUARANTEES.read_text()) == GUARANTEES.read_text(), "python -m tests.faults.mutations"
