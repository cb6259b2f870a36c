"""Everybody who wants a model comes through one door."""

from dataclasses import dataclass, field, replace

import pytest
from fakes import FakeClock

from flaskllm.core.clock import Deadline
from flaskllm.core.errors import (
    BudgetExceeded,
    InvalidInputError,
    LLMUnavailable,
    ModelNotFound,
)
from flaskllm.llm.parts import Message
from flaskllm.llm.types import Call, CompletionRequest, EmbeddingRequest
from flaskllm.services.completions import Completions

REQUEST = CompletionRequest("fast", (Message("user", "Hello"),))


USES = {
    "complete": REQUEST,
    "stream": REQUEST,
    "embed": EmbeddingRequest("vectors", ("Hello",)),
}


@dataclass
class SomeRouter:
    answer: object
    asked: list = field(default_factory=list)

    def __getattr__(self, name):
        def ask(request, call):
            self.asked.append((name, request, call))
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        return ask


@pytest.mark.parametrize(("use", "request_"), USES.items(), ids=list(USES))
def test_the_router_of_now_is_asked_and_its_answer_returned(use, request_):
    first, second = SomeRouter("one"), SomeRouter("two")
    routers = iter([first, second])
    completions = Completions(lambda: next(routers))

    assert getattr(completions, use)(request_, "call") == "one"
    assert getattr(completions, use)(request_, "call") == "two"
    assert first.asked == second.asked == [(use, request_, "call")]


@pytest.mark.parametrize(("use", "request_"), USES.items(), ids=list(USES))
def test_its_errors_come_through(use, request_):
    completions = Completions(lambda: SomeRouter(LLMUnavailable()))

    with pytest.raises(LLMUnavailable):
        getattr(completions, use)(request_, None)


def spent(alias=None):
    """Return the error of a spent budget, whose alias takes over."""
    error = BudgetExceeded()
    error.alias = alias
    return error


@dataclass
class ScriptedRouter:
    """Answers each alias with the next of its replies; raises those that are errors."""

    replies: dict
    asked: list = field(default_factory=list)

    def __getattr__(self, name):
        def ask(request, call):
            self.asked.append((name, request, call))
            reply = self.replies[request.model].pop(0)
            if isinstance(reply, Exception):
                raise reply
            return reply

        return ask

    def models(self):
        return [request.model for _, request, _ in self.asked]


def a_call():
    return Call(
        Deadline.after(60, FakeClock()),
        wait=lambda seconds: None,
        before=lambda attempt: None,
        after=lambda attempt, outcome: None,
        aliases=frozenset({"fast", "vectors"}),
    )


@pytest.mark.parametrize(("use", "request_"), USES.items(), ids=list(USES))
def test_the_alias_of_a_spent_budget_is_asked_instead_whoever_may_name_it(
    use, request_
):
    name = request_.model
    router = ScriptedRouter({name: [spent("local")], "local": ["an answer"]})
    call = a_call()

    assert getattr(Completions(lambda: router), use)(request_, call) == "an answer"

    (first_use, first, _), (second_use, second, under) = router.asked
    assert (first_use, second_use) == (use, use)
    assert (first, second) == (request_, replace(request_, model="local"))
    assert under == replace(call, aliases=None)


def test_without_an_alias_the_refusal_is_the_answer():
    error = spent()
    router = ScriptedRouter({"fast": [error]})

    with pytest.raises(BudgetExceeded) as caught:
        Completions(lambda: router).complete(REQUEST, a_call())

    assert caught.value is error
    assert router.models() == ["fast"]


def test_a_second_spent_budget_leads_on_once_more():
    router = ScriptedRouter(
        {"fast": [spent("cheap")], "cheap": [spent("local")], "local": ["an answer"]}
    )

    assert Completions(lambda: router).complete(REQUEST, a_call()) == "an answer"


CIRCLES = {
    "back to itself": ({"fast": [spent("fast"), spent("fast")]}, 2),
    "to the same again": (
        {"fast": [spent("local")], "local": [spent("local"), "never"]},
        2,
    ),
    "round and round": (
        {"fast": [spent("a")], "a": [spent("b"), "never"], "b": [spent("a")]},
        3,
    ),
    "on and on": (
        {"fast": [spent("a")], "a": [spent("b")], "b": [spent("c")], "c": ["never"]},
        3,
    ),
}


@pytest.mark.parametrize(("replies", "asked"), CIRCLES.values(), ids=CIRCLES)
def test_it_never_leads_in_a_circle_or_on_for_ever(replies, asked):
    last = [each for each in replies.values() for each in each]
    router = ScriptedRouter(replies)

    with pytest.raises(BudgetExceeded) as caught:
        Completions(lambda: router).complete(REQUEST, a_call())

    assert caught.value in last
    assert len(router.asked) == asked


@pytest.mark.parametrize(
    "unable", [ModelNotFound(), InvalidInputError()], ids=["is gone", "cannot do it"]
)
def test_where_the_alias_cannot_take_over_the_budget_is_what_is_told(unable):
    error = spent("local")
    router = ScriptedRouter({"fast": [error], "local": [unable]})

    with pytest.raises(BudgetExceeded) as caught:
        Completions(lambda: router).complete(REQUEST, a_call())

    assert caught.value is error
    assert caught.value.__cause__ is unable


def test_what_else_the_alias_fails_with_comes_through():
    router = ScriptedRouter({"fast": [spent("local")], "local": [LLMUnavailable()]})

    with pytest.raises(LLMUnavailable):
        Completions(lambda: router).complete(REQUEST, a_call())
