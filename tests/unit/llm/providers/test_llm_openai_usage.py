import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.llm.providers.openai_usage import (
    find_usage,
    read_embedding_usage,
    read_usage,
)
from flaskllm.llm.types import Usage

COUNTED = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}

USAGES = {
    "plain": (COUNTED, Usage(12, 0, 0, 5, 0, "provider")),
    "no total": (
        {"prompt_tokens": 12, "completion_tokens": 5},
        Usage(12, 0, 0, 5, 0, "provider"),
    ),
    "cached and reasoning taken out": (
        {
            **COUNTED,
            "prompt_tokens_details": {"cached_tokens": 10},
            "completion_tokens_details": {"reasoning_tokens": 4},
        },
        Usage(2, 10, 0, 1, 4, "provider"),
    ),
    "details null": (
        {
            **COUNTED,
            "prompt_tokens_details": None,
            "completion_tokens_details": {"reasoning_tokens": None},
        },
        Usage(12, 0, 0, 5, 0, "provider"),
    ),
    "cached as DeepSeek says it": (
        {**COUNTED, "prompt_cache_hit_tokens": 10, "prompt_cache_miss_tokens": 2},
        Usage(2, 10, 0, 5, 0, "provider"),
    ),
    "cached as Together says it": (
        {**COUNTED, "cached_tokens": 10},
        Usage(2, 10, 0, 5, 0, "provider"),
    ),
    "cached and said twice": (
        {
            **COUNTED,
            "cached_tokens": 10,
            "prompt_tokens_details": {"cached_tokens": 10},
        },
        Usage(2, 10, 0, 5, 0, "provider"),
    ),
    "written to the cache": (
        {
            **COUNTED,
            "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 6},
        },
        Usage(2, 4, 6, 5, 0, "provider"),
    ),
    "reasoning beside the completion": (
        {
            **COUNTED,
            "total_tokens": 77,
            "completion_tokens_details": {"reasoning_tokens": 60},
        },
        Usage(12, 0, 0, 5, 60, "provider"),
    ),
    "reasoning only in the total": (
        {**COUNTED, "total_tokens": 77},
        Usage(12, 0, 0, 5, 60, "provider"),
    ),
    "no answer": (
        {"prompt_tokens": 12, "completion_tokens": 0},
        Usage(12, 0, 0, 0, 0, "provider"),
    ),
}


@pytest.mark.parametrize(("sent", "usage"), USAGES.values(), ids=USAGES)
def test_usage_is_read_into_its_normal_form(sent, usage):
    assert read_usage(sent) == usage


SUSPECT = {
    "missing": None,
    "a list": [12, 5],
    "empty": {},
    "all zero": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    "negative": {**COUNTED, "completion_tokens": -5},
    "a string": {**COUNTED, "prompt_tokens": "12"},
    "a fraction": {**COUNTED, "prompt_tokens": 12.5},
    "true": {**COUNTED, "completion_tokens": True},
    "absurd": {**COUNTED, "prompt_tokens": 10**18},
    "absurd total": {**COUNTED, "total_tokens": 10**18},
    "total below its parts": {**COUNTED, "total_tokens": 16},
    "total null": {**COUNTED, "total_tokens": None},
    "more cached than sent": {
        **COUNTED,
        "prompt_tokens_details": {"cached_tokens": 13},
    },
    "more read and written than sent": {
        **COUNTED,
        "prompt_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 10},
    },
    "no completion": {"prompt_tokens": 12, "total_tokens": 12},
    "negative cached": {**COUNTED, "prompt_tokens_details": {"cached_tokens": -1}},
    "more reasoning than answer": {
        **COUNTED,
        "completion_tokens_details": {"reasoning_tokens": 6},
    },
}


@pytest.mark.parametrize("sent", SUSPECT.values(), ids=SUSPECT)
def test_usage_that_cannot_be_true_is_not_believed(sent):
    assert read_usage(sent) == Usage(source="none")


NAMES = st.sampled_from(
    [
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "prompt_tokens_details",
        "completion_tokens_details",
    ]
)
COUNTS = st.none() | st.integers() | st.text() | st.floats()
DETAILS = st.dictionaries(
    st.sampled_from(["cached_tokens", "reasoning_tokens"]), COUNTS
)


@given(usage=st.dictionaries(NAMES, COUNTS | DETAILS))
def test_no_count_is_ever_below_zero(usage):
    read = read_usage(usage)

    assert min(read.input_uncached, read.input_cache_read) >= 0
    assert min(read.output_text, read.output_reasoning) >= 0


PLACES = {
    "beside the choices": {"usage": COUNTED},
    "in a choice": {"choices": [{"usage": COUNTED}]},
    "in Groq's own": {"usage": None, "x_groq": {"usage": COUNTED}},
}


@pytest.mark.parametrize("reply", PLACES.values(), ids=PLACES)
def test_usage_is_found_where_the_services_put_it(reply):
    assert find_usage(reply) == Usage(12, 0, 0, 5, 0, "provider")


SILENT = {
    "nothing": {},
    "null": {"usage": None},
    "empty": {"usage": {}},
    "no object": {"usage": 7, "choices": 7, "x_groq": 7, "timings": 7},
    "choices of nothing": {"choices": []},
    "a choice that is none": {"choices": [7]},
    "Groq's id alone": {"x_groq": {"id": "req_1"}},
    "timings without counts": {"timings": {"prompt_ms": 1.5}},
    "timings that cannot be true": {"timings": {"prompt_n": -1, "predicted_n": 3}},
}


@pytest.mark.parametrize("reply", SILENT.values(), ids=SILENT)
def test_where_nothing_is_said_nothing_is_found(reply):
    assert find_usage(reply) is None


def test_timings_count_where_usage_is_missing():
    timings = {"cache_n": 6, "prompt_n": 12, "predicted_n": 9}

    assert find_usage({"timings": timings}) == Usage(12, 6, 0, 9, 0, "provider")
    assert find_usage({"timings": timings, "usage": COUNTED}) == read_usage(COUNTED)


def test_what_cannot_be_true_was_said_all_the_same():
    assert find_usage({"usage": {"prompt_tokens": -1}}) == Usage()


EMBEDDINGS = {
    "counted": ({"prompt_tokens": 3, "total_tokens": 3}, Usage(3, source="provider")),
    "missing": (None, Usage()),
    "nothing": ({"prompt_tokens": 0}, Usage()),
    "negative": ({"prompt_tokens": -3}, Usage()),
}


@pytest.mark.parametrize(("sent", "usage"), EMBEDDINGS.values(), ids=EMBEDDINGS)
def test_the_usage_of_vectors_has_no_answer_to_count(sent, usage):
    assert read_embedding_usage(sent) == usage
