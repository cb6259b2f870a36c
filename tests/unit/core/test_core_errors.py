"""The tree of errors is the one that its docstring draws."""

import re

import pytest

from flaskllm.core import errors
from flaskllm.core.errors import APIError, Field, InvalidInputError, LLMAPIError


def drawn():
    """Return (name, parent, status, code) of every line of the drawing, in order."""
    rows, ancestors = [], {}
    for line in errors.__doc__.splitlines():
        match = re.fullmatch(r"    ([│├└─ ]*)(\w+)(?: +(\d{3})  (\w+))?", line)
        if match is None:
            continue
        depth = len(match[1]) // 4
        ancestors[depth] = match[2]
        status = int(match[3]) if match[3] else None
        rows.append((match[2], ancestors.get(depth - 1), status, match[4]))
    return rows


def family(cls):
    """Return the class and all below it."""
    return [cls, *(each for child in cls.__subclasses__() for each in family(child))]


ROOT, *ROWS = drawn()
CLASSES = {
    cls.__name__: cls for cls in family(APIError) if cls.__module__ == errors.__name__
}


def test_every_error_is_drawn_once_and_nothing_else():
    names = [row[0] for row in (ROOT, *ROWS)]

    assert ROOT == ("APIError", None, None, None)
    assert sorted(names) == sorted(CLASSES)


@pytest.mark.parametrize(("name", "parent", "status", "code"), ROWS)
def test_each_has_its_drawn_parent_status_and_code(name, parent, status, code):
    cls = CLASSES[name]

    assert cls.__bases__ == (CLASSES[parent],)
    assert (cls.status, cls.code) == (status, code)


def test_codes_are_unique_capitals():
    codes = [cls.code for name, cls in CLASSES.items() if name != "APIError"]

    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[A-Z]+(_[A-Z]+)*", code) for code in codes)


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_each_says_a_sentence_and_whether_a_retry_helps(cls):
    error = cls()

    assert re.fullmatch(r"[A-Z].+\.", error.message)
    assert str(error) == error.message == cls.sentence
    assert isinstance(cls.retryable, bool)
    assert (error.details, error.fields, error.retry_after_seconds) == ("", (), None)


@pytest.mark.parametrize(
    ("names", "attribute"),
    [
        (
            {
                "FetchFailed",
                "InsufficientStorage",
                "RateLimitExceeded",
                "ServiceUnavailable",
                "LLMAPIError",
                "LLMAnswerDiffers",
                "LLMProtocolError",
                "LLMRateLimited",
                "LLMServerError",
                "LLMUnavailable",
                "LLMTimeout",
            },
            "retryable",
        ),
        (
            {
                "LLMProtocolError",
                "LLMRateLimited",
                "LLMServerError",
                "LLMUnavailable",
                "LLMTimeout",
            },
            "transient",
        ),
    ],
)
def test_what_passes_by_itself_is_a_fact_of_the_class(names, attribute):
    found = {name for name, cls in CLASSES.items() if getattr(cls, attribute, False)}

    assert found == names


def test_what_is_transient_for_us_may_be_tried_again_by_the_caller():
    models = (cls for cls in CLASSES.values() if issubclass(cls, LLMAPIError))

    assert all(cls.retryable for cls in models if cls.transient)


def test_an_instance_adds_what_is_true_of_its_case():
    error = APIError(
        "No.", details="a", fields=iter([Field("x", "y")]), retry_after_seconds=2.5
    )

    assert (str(error), error.message, error.details) == ("No.", "No.", "a")
    assert error.fields == (Field("x", "y", ""),)
    assert error.retry_after_seconds == 2.5


@pytest.mark.parametrize(
    ("allowed", "details"),
    [("", "a.b: is odd"), ("one, two", "a.b: is odd; allowed: one, two")],
)
def test_one_wrong_field_is_named_with_its_problem_and_its_mend(allowed, details):
    error = InvalidInputError.of("a.b", "is odd", allowed)

    assert error.details == details
    assert error.fields == (Field("a.b", "is odd", allowed),)
    assert error.status == 400
