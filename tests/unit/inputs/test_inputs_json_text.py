"""JSON whose strings know where they stand."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flaskllm.inputs.transcripts import json_text
from flaskllm.inputs.transcripts.json_text import (
    MAX_DEPTH,
    Placed,
    UnreadableJsonError,
    read_json,
)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False,
                                                          allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)  # fmt: skip


def strings(value):
    if isinstance(value, str):
        yield value
    if isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)


@settings(max_examples=100, deadline=None)
@given(st.lists(values), st.booleans())
def test_it_reads_what_the_library_reads_and_places_every_string(value, escapes):
    text = json.dumps(value, ensure_ascii=escapes)

    found = read_json(text)

    assert found == json.loads(text)
    for string in strings(found):
        assert isinstance(string, Placed)
        assert json.loads(f'"{text[string.start : string.end]}"') == string


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='[]{}":,\\ab01.eE-+ntu\n') | st.text())
def test_any_text_is_read_or_refused(text):
    try:
        json.loads(text, parse_constant=int)
    except ValueError:
        with pytest.raises(UnreadableJsonError, match=r"."):
            read_json(text)
    else:
        read_json(text)


def test_depth_counts_brackets_that_are_no_text():
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH

    assert read_json(json.dumps("[" * 99)) == "[" * 99
    assert read_json(deep)
    with pytest.raises(UnreadableJsonError, match="nested"):
        read_json(f"[{deep}]")


def test_a_text_over_the_cap_is_refused(monkeypatch):
    monkeypatch.setattr(json_text, "MAX_JSON_CHARACTERS", 5)

    with pytest.raises(UnreadableJsonError, match="longer"):
        read_json('"12345"')


@pytest.mark.parametrize("text", ['"' + '\\"' * 200_000, "[" * 200_000, '"\\' * 9999])
def test_what_never_ends_is_refused_at_once(text):
    began = time.process_time()

    with pytest.raises(UnreadableJsonError):
        read_json(text)

    assert time.process_time() - began < 1
