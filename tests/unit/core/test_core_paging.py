from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.csv_text import csv_text
from flaskllm.core.errors import InvalidInputError
from flaskllm.core.paging import Place, read_place

moments = st.datetimes(timezones=st.just(UTC))


@given(moments, st.text("abcXYZ019_", min_size=1, max_size=40))
def test_a_place_comes_back_from_its_text(at, row_id):
    assert read_place(Place(at, row_id).text()) == Place(at, row_id)


@given(st.text(max_size=60).filter(lambda text: not text.isalnum()))
def test_any_other_text_is_refused_by_name(text):
    with pytest.raises(InvalidInputError) as refused:
        read_place(text)
    assert [field.path for field in refused.value.fields] == ["after"]


# In UTC it lies before the first of all years.
BEFORE_TIME = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "!!!!",
        "MjAyNg",
        Place(datetime(2026, 1, 1), "id").text(),
        Place(BEFORE_TIME, "id").text(),
    ],
)
def test_what_is_no_place_is_refused(text):
    with pytest.raises(InvalidInputError):
        read_place(text)


def test_a_moment_keeps_its_offset():
    at = datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2)))

    assert read_place(Place(at, "a b").text()) == Place(at, "a b")


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_begins_a_formula(start):
    assert csv_text(["a"], [[start]]).splitlines()[1].lstrip('"')[0] == "'"


def test_a_table_is_quoted_where_it_must_be():
    text = csv_text(["a", "b"], [["x,y", None], ['"', 3]])

    assert text == 'a,b\r\n"x,y",\r\n"""",3\r\n'
