"""What is read from a body, what is refused, and in which words."""

import json
import time
from typing import Annotated, Literal

import pytest
from face_fakes import build
from flask import Flask, jsonify
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
)

from flaskllm.api import errors, guard, validation
from flaskllm.api.validation import parse_model, parse_object, refusal
from flaskllm.core.auth import Scope
from flaskllm.core.errors import APIError, InvalidInputError

MIB = 1024 * 1024
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_every_object_that_json_can_write_is_read(value):
    assert parse_object(json.dumps(value).encode()) == value
    assert parse_object(json.dumps(value, ensure_ascii=False).encode()) == value


def read_or_refuse(body):
    """Return the object, or what a caller reads instead; nothing else is raised."""
    try:
        return parse_object(body)
    except InvalidInputError as error:
        return errors.body_of(error)


@given(st.binary())
def test_any_bytes_are_an_object_or_a_clear_refusal(body):
    assert isinstance(read_or_refuse(body), dict)


@given(st.text(alphabet='{}[]",:\\ u0d8a1e.-+NaInfity', max_size=60))
def test_any_mix_of_json_signs_is_an_object_or_a_clear_refusal(text):
    assert isinstance(read_or_refuse(text.encode()), dict)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "is empty"),
        (b" \n ", "is empty"),
        (b"null", "not an object"),
        (b"[]", "not an object"),
        (b'"text"', "not an object"),
        (b"5", "not an object"),
        (b"{", "line 1, column 2"),
        (b'{"a":1} {"b":2}', "Extra data"),
        (b"{'a': 1}", "line 1, column 2"),
        (b'{"a":1,}', "line 1"),
        (b'{"a": "tab\there"}', "control character"),
        (b'{"a": NaN}', "NaN is no JSON number"),
        (b'{"a": Infinity}', "Infinity is no JSON number"),
        (b'{"a": -Infinity}', "-Infinity is no JSON number"),
        (b'{"a": 1e400}', "1e400 is too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "5000 digits"),
        (b'{"a": ' + b"9" * 500 + b".0}", "is too large"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"\\udc00": 1}', "surrogate"),
        (b'{"a": "\xed\xa0\x80"}', "byte 7 is not UTF-8"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ('{"a": 1}'.encode("utf-16"), "byte order mark"),
        ('{"a": 1}'.encode("utf-16-le"), "line 1"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"a":' * 100_000, "nested too deep"),
        (b'{"a": [' + b"1," * 200_000 + b"1]}", "too many values"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_sound_json_object_is_refused(body, said):
    with pytest.raises(InvalidInputError) as caught:
        parse_object(body)

    assert said in caught.value.details
    assert len(caught.value.details) < 200


@pytest.mark.no_cover
def test_a_hundred_thousand_keys_are_refused():
    body = json.dumps({f"k{number}": 0 for number in range(100_000)}).encode()

    with pytest.raises(InvalidInputError, match="not valid JSON"):
        parse_object(body)


@pytest.mark.parametrize(("depth", "good"), [(64, True), (65, False)])
def test_depth_is_counted_outside_of_strings_only(depth, good):
    inner = b"[" * (depth - 1) + b"]" * (depth - 1)
    body = b'{"text": "' + b'[{\\"' * 1000 + b'", "deep": ' + inner + b"}"

    if good:
        assert parse_object(body)["text"] == '[{"' * 1000
    else:
        with pytest.raises(InvalidInputError, match="not valid JSON"):
            parse_object(body)


@pytest.mark.parametrize(
    "pattern", [b"[", b'"', b'\\"', b"\\", b",", b'"a"b', b'{"a":', b"9", b"a", b" "]
)
def test_two_mebibytes_of_anything_are_judged_in_a_moment(pattern):
    body = b'{"a":"' + pattern * (2 * MIB // len(pattern))

    started = time.perf_counter()
    with pytest.raises(InvalidInputError):
        parse_object(body)
    assert time.perf_counter() - started < 2.0


def test_a_pair_of_surrogates_is_one_sign():
    assert parse_object(b'{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}


def test_of_a_key_given_twice_the_last_counts():
    assert parse_object(b'{"a": 1, "b": {"c": 2, "c": 3}}') == {"a": 1, "b": {"c": 3}}


def no_odd(value):
    if value % 2:
        raise refusal(f"{value} is odd", "an even number")
    return value


class Inner(BaseModel):
    name: str


class Sample(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    needed: str
    short: str = Field("abc", min_length=2, max_length=4)
    form: str = Field("a", pattern="^[a-c]$")
    choice: Literal["email", "meeting"] = "email"
    table: dict[str, int] = {}
    names: list[str] = Field([], min_length=1, max_length=2)
    pair: tuple[int, ...] = ()
    inner: Inner | None = None
    whole: int = Field(0, ge=0, le=9)
    part: float = Field(0.5, gt=0, lt=1)
    flag: bool = False
    even: Annotated[int, AfterValidator(no_odd)] = 0
    link: Annotated[bytes, Field(max_length=3)] = b""


@pytest.mark.parametrize(
    ("data", "path", "problem", "allowed"),
    [
        ({"needed": None}, "needed", "is not a string", "a string"),
        ({}, "needed", "is missing", "a value"),
        ({"other": 1}, "other", "is not known", "a field of this route"),
        ({"short": "a"}, "short", "is too short", "at least 2 characters"),
        ({"short": "abcde"}, "short", "is too long", "at most 4 characters"),
        ({"form": "x"}, "form", "is not in the right form", "^[a-c]$"),
        ({"choice": "mail"}, "choice", "'mail' is unknown", "email or meeting"),
        ({"choice": 5}, "choice", "is unknown", "email or meeting"),
        ({"table": []}, "table", "is not an object", "an object"),
        ({"table": {"a": "x"}}, "table.a", "is not a whole number", "a whole number"),
        ({"names": "x"}, "names", "is not a list", "a list"),
        ({"names": []}, "names", "is too few", "at least 1"),
        ({"names": ["a", "b", "c"]}, "names", "is too many", "at most 2"),
        ({"names": ["a", 5]}, "names.1", "is not a string", "a string"),
        ({"pair": 5}, "pair", "is not a list", "a list"),
        ({"inner": []}, "inner", "is not an object", "an object"),
        ({"inner": {}}, "inner.name", "is missing", "a value"),
        ({"whole": []}, "whole", "is not a whole number", "a whole number"),
        ({"whole": 1.5}, "whole", "is not a whole number", "a whole number"),
        ({"whole": -1}, "whole", "is too small", "at least 0"),
        ({"whole": 10}, "whole", "is too large", "at most 9"),
        ({"part": "x"}, "part", "is not a number", "a number"),
        ({"part": []}, "part", "is not a number", "a number"),
        ({"part": 0}, "part", "is too small", "more than 0.0"),
        ({"part": 1}, "part", "is too large", "less than 1.0"),
        ({"flag": "x"}, "flag", "is neither true nor false", "true or false"),
        ({"flag": []}, "flag", "is neither true nor false", "true or false"),
        ({"even": 3}, "even", "3 is odd", "an even number"),
        ({"link": "four"}, "link", "is not valid", ""),
    ],
    ids=lambda value: str(value)[:40],
)
def test_each_wrong_field_is_named_with_the_mend(data, path, problem, allowed):
    given_needed = {} if data == {} else {"needed": "x"}

    with pytest.raises(InvalidInputError) as caught:
        parse_model(Sample, given_needed | data)

    (field,) = caught.value.fields
    assert (field.path, field.problem, field.allowed) == (path, problem, allowed)
    mend = f", allowed: {allowed}" if allowed else ""
    assert caught.value.details == f"{path}: {problem}{mend}"


def test_what_is_right_is_returned():
    assert parse_model(Sample, {"needed": "x", "whole": "7"}).whole == 7


def test_a_wrong_whole_is_called_the_body():
    with pytest.raises(InvalidInputError) as caught:
        parse_model(Sample, [])

    assert caught.value.fields[0].path == "body"


def test_all_wrong_fields_are_told_at_once_but_not_thousands():
    with pytest.raises(InvalidInputError) as caught:
        parse_model(Sample, {"needed": "x", "names": [1] * 2, "whole": []})
    assert [field.path for field in caught.value.fields] == [
        "names.0",
        "names.1",
        "whole",
    ]

    with pytest.raises(InvalidInputError) as caught:
        parse_model(Sample, {"needed": "x", "table": {str(n): "x" for n in range(999)}})
    assert len(caught.value.fields) == 20


def test_a_long_value_is_never_repeated_whole():
    with pytest.raises(InvalidInputError) as caught:
        parse_model(Sample, {"needed": "x", "choice": "m" * 5000})

    assert caught.value.fields[0].problem == f"'{'m' * 40}…' is unknown"


@pytest.fixture
def reader(services, bearer):
    """Return a function that posts to a route which reads JSON up to 100 bytes."""

    def before(app):
        @guard.guarded(Scope.READ)
        def read():
            return jsonify(validation.read_json(100))

        app.add_url_rule("/read", view_func=read, methods=["POST"])

    client = build(services, before=before).test_client()

    def post(body, content_type="application/json", **options):
        return client.post(
            "/read",
            data=body,
            content_type=content_type,
            headers=bearer("read"),
            **options,
        )

    return post


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/vnd.acme+json",
    ],
)
def test_json_types_are_read(reader, content_type):
    assert reader(b'{"a":1}', content_type).json == {"a": 1}


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "application/xml",
    ],
)
def test_other_types_are_refused_with_what_is_read(reader, content_type):
    reply = reader(b'{"a":1}', content_type)

    assert reply.status_code == 415
    assert reply.json["details"] == (
        f"Content-Type: {content_type or 'none'}; allowed: application/json."
    )


@pytest.mark.parametrize(("length", "status"), [(100, 200), (101, 413)])
def test_a_body_is_read_up_to_its_cap(reader, length, status):
    body = b'{"a":"' + b"x" * (length - 8) + b'"}'

    reply = reader(body)

    assert reply.status_code == status
    assert (
        status == 200
        or "101 bytes, allowed: at most 100 bytes." in reply.json["details"]
    )


def test_ten_gigabytes_that_are_only_announced_are_refused_at_once(reader):
    reply = reader(b"", environ_overrides={"CONTENT_LENGTH": "10737418240"})

    assert reply.status_code == 413


class Endless:
    """A body that never ends, and counts what is taken."""

    def __init__(self):
        self.taken = 0

    def read(self, size=-1):
        size = 65536 if size < 0 else size
        self.taken += size
        return b"x" * size


def test_an_endless_body_is_cut_at_the_cap(reader):
    endless = Endless()

    reply = reader(
        None,
        environ_overrides={
            "wsgi.input": endless,
            "wsgi.input_terminated": True,
            "HTTP_TRANSFER_ENCODING": "chunked",
        },
    )

    assert reply.status_code == 413
    assert endless.taken <= 65536 * 2


def test_a_body_that_ends_early_is_refused(reader):
    reply = reader(b'{"a"', environ_overrides={"CONTENT_LENGTH": "50"})

    assert reply.status_code == 400
    assert "ended before" in reply.json["details"]


def test_what_stands_beyond_the_announced_length_is_not_read(reader):
    reply = reader(b'{"a":1}{"b":2}', environ_overrides={"CONTENT_LENGTH": "7"})

    assert reply.json == {"a": 1}


def test_reading_needs_no_error_handlers():
    """`read_body` raises; turning that into a reply is another room's work."""
    app = Flask("x")
    with app.test_request_context(data=b"12345"), pytest.raises(APIError):
        validation.read_body(4)
    with app.test_request_context(data=b"1234"):
        assert validation.read_body(4) == b"1234"
    assert errors.body_of(InvalidInputError())["code"] == "INVALID_INPUT"


def test_numbers_in_a_list_count_as_what_stands_between_them():
    numbers = b'{"a": [' + b"1, " * 999 + b"1]}"

    assert parse_object(numbers, 1004)["a"] == [1] * 1000
    with pytest.raises(InvalidInputError, match="not valid JSON") as refused:
        parse_object(numbers, 1002)
    assert "fewer than 501 keys" in refused.value.details


def test_the_tag_of_a_union_is_no_part_of_a_path():
    class Tagged(BaseModel):
        a: Annotated[
            Annotated[int, Tag("@whole")] | Annotated[str, Tag("@text")],
            Discriminator(lambda value: "@whole"),
        ]

    with pytest.raises(InvalidInputError) as refused:
        parse_model(Tagged, {"a": "x"})

    assert refused.value.fields[0].path == "a"
