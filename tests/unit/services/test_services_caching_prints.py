"""What tells a request from every other that may be answered differently."""

from dataclasses import replace

import pytest

from flaskllm.llm.cached import CacheTerms, CacheWish
from flaskllm.llm.parts import Image, Message, Text, Thinking, ToolCall, ToolResult
from flaskllm.llm.route import Route
from flaskllm.llm.types import (
    CallerBody,
    Completion,
    CompletionRequest,
    EmbeddingRequest,
    Extraction,
    JsonFormat,
    Tool,
    Usage,
)
from flaskllm.services.caching import policy
from flaskllm.services.caching.prints import (
    is_whole_in_canon,
    print_for,
    print_of,
    wants_usage,
)

KEY, OTHER = b"k" * 32, b"o" * 32
ROUTE = Route(
    alias="fast", weights={"a": 1}, cache=CacheTerms(ttl_seconds=60, fingerprint="f1")
)
ASKED = CompletionRequest("fast", (Message("user", "Hi"),), temperature=0)
BODY = {"model": "fast", "messages": [{"role": "user", "content": "Hi"}]}
PASSED = replace(ASKED, body=CallerBody("openai.chat", BODY))
EMBED = EmbeddingRequest("fast", ("one", (1, 2)))


def print_it(request=ASKED, route=ROUTE, key=KEY):
    return print_of(key, route, request)


def passed(**fields):
    return replace(PASSED, body=CallerBody("openai.chat", BODY | fields))


@pytest.mark.parametrize(
    "other",
    [
        replace(ASKED, messages=(Message("user", "Ho"),)),
        replace(ASKED, messages=(Message("system", "Hi"),)),
        replace(ASKED, messages=(Message("user", (Text("Hi"),)),)),
        replace(ASKED, messages=(Message("assistant", (Thinking("Hi"),)),)),
        replace(ASKED, messages=(Message("user", (Image("https://a.example/b"),)),)),
        replace(ASKED, messages=(Message("tool", (ToolResult("1", (Text("Hi"),)),)),)),
        replace(
            ASKED, messages=(Message("assistant", (ToolCall("1", "look", "{}"),)),)
        ),
        replace(ASKED, temperature=0.5),
        replace(ASKED, temperature=None),
        replace(ASKED, max_output_tokens=5),
        replace(ASKED, top_p=0.5),
        replace(ASKED, top_k=5),
        replace(ASKED, stop=("x",)),
        replace(ASKED, seed=1),
        replace(ASKED, seed=2**80),
        replace(ASKED, user="ann"),
        replace(ASKED, tools=(Tool("look"),)),
        replace(ASKED, tool_choice="none"),
        replace(ASKED, parallel_tools=False),
        replace(ASKED, thinking_tokens=100),
        replace(ASKED, effort="high"),
        replace(ASKED, choices=2),
        replace(ASKED, json_format=JsonFormat()),
        replace(ASKED, json_schema={"type": "object"}),
        replace(ASKED, extraction=Extraction("summary", "en", ())),
        replace(ASKED, template="summary@1"),
        replace(ASKED, messages=(Message("user", "\ud800"),)),
        PASSED,
        passed(logprobs=True),
        replace(PASSED, body=CallerBody("openai.text", BODY)),
        replace(PASSED, body=CallerBody("openai.chat", BODY, headers={"beta": "x"})),
        EMBED,
        replace(EMBED, dimensions=3),
        replace(EMBED, inputs=("one",)),
    ],
)
def test_a_request_that_may_be_answered_differently_has_another_print(other):
    assert print_it(other) != print_it()


@pytest.mark.parametrize(
    "route",
    [
        replace(ROUTE, alias="slow"),
        replace(ROUTE, cache=replace(ROUTE.cache, fingerprint="f2")),
        replace(ROUTE, alias=None, pattern="fast"),
    ],
)
def test_so_has_one_to_another_route_or_to_other_deployments(route):
    assert print_it(route=route) != print_it()


def test_so_has_one_of_somebody_else_or_under_another_secret():
    of_all = print_it()

    own = [print_for(key, of_all, who) for key in (KEY, OTHER) for who in "ab"]

    assert len({of_all, print_it(key=OTHER), *own}) == 6


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ASKED, replace(ASKED, model=None)),
        (ASKED, replace(ASKED, stream=True)),
        (PASSED, replace(passed(stream=True), stream=True)),
        (PASSED, passed(stream_options={"include_usage": True})),
        (passed(a=1, b=2), passed(b=2, a=1)),
    ],
)
def test_what_changes_nothing_of_the_answer_does_not_count(one, other):
    assert print_it(one) == print_it(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (passed(temperature=0), passed(temperature=0.0)),
        (passed(temperature=0), passed(temperature=-0.0)),
        (passed(stop_at={"n": [1, 2.5]}), passed(stop_at={"n": [1.0, 2.5]})),
        (passed(a=2**70), passed(a=float(2**70))),
        (replace(ASKED, top_p=1), replace(ASKED, top_p=1.0)),
        (
            replace(ASKED, tools=(Tool("look", parameters={"least": 1}),)),
            replace(ASKED, tools=(Tool("look", parameters={"least": 1.0}),)),
        ),
    ],
)
def test_numbers_that_are_equal_in_json_are_one(one, other):
    assert print_it(one) == print_it(other)


@pytest.mark.parametrize("other", [True, "1", 1.5, None])
def test_nothing_else_is_equal_to_a_number(other):
    assert print_it(passed(a=1)) != print_it(passed(a=other))


def test_a_pattern_tells_names_apart():
    route = replace(ROUTE, alias=None, pattern="q*")

    one, other = replace(ASKED, model="q1"), replace(ASKED, model="q2")

    assert print_it(one, route) != print_it(other, route)


def test_words_that_differ_each_time_do_not_count():
    def asked(word, text="the document"):
        message = Message("user", f"<<<{word}\n{text}\n{word}>>>")
        return replace(ASKED, messages=(message,), varying=((word, "\0"),))

    assert print_it(asked("x7Gh2")) == print_it(asked("9kLm4"))
    assert print_it(asked("x7Gh2")) != print_it(asked("x7Gh2", "another"))


def test_what_only_the_dialect_holds_is_told_in_the_form_it_was_asked_in():
    plain = replace(
        PASSED, body=CallerBody("openai.chat", BODY | {"logprobs": True}, ("logprobs",))
    )

    assert not is_whole_in_canon(plain)
    assert print_it(plain) != print_it(replace(plain, stream=True))


@pytest.mark.parametrize(
    ("request_", "is_whole"),
    [
        (EMBED, True),
        (ASKED, True),
        (PASSED, True),
        (replace(ASKED, choices=2), False),
        (replace(PASSED, choices=2), False),
        (replace(PASSED, body=CallerBody("openai.text", {"prompt": "a"})), True),
        (replace(PASSED, body=CallerBody("openai.text", {"prompt": ["a"]})), False),
        (replace(PASSED, body=CallerBody("openai.chat", BODY, (), {"b": "c"})), False),
    ],
)
def test_what_the_canonical_form_holds(request_, is_whole):
    assert is_whole_in_canon(request_) is is_whole


def test_who_wants_the_usage_of_a_stream():
    assert wants_usage(passed(stream_options={"include_usage": True}))
    assert not wants_usage(passed(stream_options=None))
    assert not wants_usage(ASKED)
    assert not wants_usage(EMBED)


class TestPolicy:
    @pytest.mark.parametrize(
        ("request_", "wish", "principal_id", "reason"),
        [
            (ASKED, CacheWish(), "ann", None),
            (ASKED, CacheWish(reads=False), "ann", None),
            (ASKED, CacheWish(), "", "nobody"),
            (ASKED, CacheWish.of(False, None), "ann", "no_store"),
            (ASKED, CacheWish.of(None, True), "ann", "sensitive"),
            (replace(ASKED, required_tag="local"), CacheWish(), "ann", "confined"),
        ],
    )
    def test_who_passes_by(self, request_, wish, principal_id, reason):
        assert policy.bypass_of(request_, wish, principal_id) == reason

    @pytest.mark.parametrize(
        ("request_", "terms", "is_kept"),
        [
            (ASKED, CacheTerms(), False),
            (ASKED, CacheTerms(5), True),
            (replace(ASKED, temperature=0.1), CacheTerms(5), False),
            (replace(ASKED, temperature=None), CacheTerms(5), False),
            (replace(ASKED, temperature=None), CacheTerms(5, True), True),
            (replace(ASKED, temperature=None, template="t"), CacheTerms(5), True),
            (replace(ASKED, temperature=1.0, template="t"), CacheTerms(5), False),
            (EMBED, CacheTerms(5), True),
        ],
    )
    def test_only_what_would_be_answered_alike_is_kept(self, request_, terms, is_kept):
        assert policy.is_settled(request_, terms) is is_kept

    def test_equal_requests_are_asked_once_where_that_is_said_or_one_is_kept(self):
        def flies(single_flight, is_kept):
            terms = CacheTerms(5, single_flight=single_flight)
            return policy.is_shared_flight(terms, is_kept=is_kept)

        assert flies(None, True)
        assert not flies(None, False)
        assert flies(True, False)
        assert not flies(False, True)

    @pytest.mark.parametrize(
        ("reason", "refusal", "is_worth"),
        [
            ("stop", None, True),
            ("tool_calls", None, True),
            ("length", None, False),
            ("content_filter", None, False),
            ("stop", "I will not.", False),
        ],
    )
    def test_what_is_cut_off_or_refused_is_not_kept(self, reason, refusal, is_worth):
        said = Completion("text", reason, Usage(), "m", refusal=refusal)

        assert policy.is_worth_keeping(said) is is_worth

    def test_two_wishes_are_both_heeded(self):
        fresh, kept_back = CacheWish(reads=False), CacheWish.of(False, True)

        assert fresh.also(kept_back) == CacheWish(False, False, True)
        assert CacheWish().also(fresh) == fresh


@pytest.mark.parametrize(
    ("text", "is_worth"),
    [
        ('{"summary": "x", "more": 1}', True),
        ('{"more": 1}', False),
        ("I cannot do that.", False),
        ('["summary"]', False),
        ('{"summary": ', False),
    ],
)
def test_an_answer_that_nobody_can_use_is_not_kept(text, is_worth):
    schema = {"type": "object", "required": ["summary"]}
    said = Completion(text, "stop", Usage(), "m")

    assert policy.is_worth_keeping(said, schema) is is_worth
