"""What is not there is told in one wording, whatever was asked of it."""

import pytest

from flaskllm.core.errors import NotFound
from flaskllm.services.own_ids import not_found, sane_id


@pytest.mark.parametrize(
    ("noun", "id"),
    [
        ("job", "job_1"),
        ("delivery", "msg_1"),
        ("endpoint", "end_1"),
        ("response", "resp_1"),
    ],
)
def test_each_noun_has_ids_of_its_own(noun, id):
    assert sane_id(noun, id) == id
    with pytest.raises(NotFound) as refused:
        sane_id(noun, f"x{id}")
    missing = not_found(noun, f"x{id}")
    assert str(missing) == f"{noun.capitalize()} with id 'x{id}' not found."
    told = refused.value.message, refused.value.details
    assert told == (missing.message, missing.details)


def test_of_a_long_text_the_beginning_is_told():
    assert len(not_found("job", "j" * 10_000).message) < 120
