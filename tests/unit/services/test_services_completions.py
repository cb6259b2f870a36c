"""Everybody who wants a model comes through one door."""

from dataclasses import dataclass, field

import pytest

from flaskllm.core.errors import LLMUnavailable
from flaskllm.llm.types import CompletionRequest, Message
from flaskllm.services.completions import Completions

REQUEST = CompletionRequest("fast", (Message("user", "Hello"),))


@dataclass
class SomeRouter:
    answer: object
    asked: list = field(default_factory=list)

    def complete(self, request, call):
        self.asked.append((request, call))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_the_router_of_now_is_asked_and_its_answer_returned():
    first, second = SomeRouter("one"), SomeRouter("two")
    routers = iter([first, second])
    completions = Completions(lambda: next(routers))

    assert completions.complete(REQUEST, "call") == "one"
    assert completions.complete(REQUEST, "call") == "two"
    assert first.asked == second.asked == [(REQUEST, "call")]


def test_its_errors_come_through():
    with pytest.raises(LLMUnavailable):
        Completions(lambda: SomeRouter(LLMUnavailable())).complete(REQUEST, None)
