"""Everybody who wants a model comes through one door."""

from dataclasses import dataclass, field

import pytest

from flaskllm.core.errors import LLMUnavailable
from flaskllm.llm.parts import Message
from flaskllm.llm.types import CompletionRequest, EmbeddingRequest
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
