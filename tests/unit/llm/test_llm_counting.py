"""Tokens are counted by whoever would answer, if it does so for nothing."""

from dataclasses import dataclass, field, replace

import pytest
from fakes import FakeClock

from flaskllm.core.clock import Deadline
from flaskllm.core.errors import CallerGone, LLMTimeout, ModelNotFound
from flaskllm.llm.catalog import Catalog, Route
from flaskllm.llm.counting import Counting, TokenCount
from flaskllm.llm.parts import Message
from flaskllm.llm.providers import build_provider
from flaskllm.llm.tokens import estimate_request
from flaskllm.llm.types import Call, CompletionRequest, Deployment
from flaskllm.net.transport import HttpReply

HAIKU = Deployment("haiku", "claude", "anthropic", "claude-haiku-4-5")
MINI = Deployment("mini", "hosted", "openai", "gpt-4o-mini")
ANY = Deployment("any", "hosted", "openai", "*")
ASKED = CompletionRequest("both", (Message("user", "Hello there, all of you"),))


@dataclass
class Sender:
    reply: object
    asked: list = field(default_factory=list)

    def send(self, request, *, deadline, caller=None, first_byte_seconds=None):
        self.asked.append((request.url, deadline.remaining_seconds(), caller))
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


@dataclass
class Scene:
    clock: FakeClock
    sender: Sender
    counting: Counting

    def count(self, model="both", deadline_seconds=60.0):
        deadline = Deadline.after(deadline_seconds, self.clock)
        call = Call(deadline, self.clock.sleep, None, None, "the caller")
        return self.counting.count(replace(ASKED, model=model), call)


def scene(reply=None):
    clock, sender = FakeClock(), Sender(reply)
    routes = (
        Route(alias="both", weights={"mini": 1, "haiku": 2}),
        Route(alias="mini", weights={"mini": 2, "haiku": 1}, fallbacks=("both",)),
        Route(pattern="gpt-*", weights={"any": 1}),
    )
    catalog = Catalog(routes, {"haiku": HAIKU, "mini": MINI, "any": ANY})
    providers = {
        "claude": build_provider("anthropic", None, "sk-ant-fake", clock),
        "hosted": build_provider("openai", None, "sk-fake", clock),
    }
    return Scene(clock, sender, Counting(catalog, providers, {"claude": sender}))


def counted(tokens):
    return HttpReply(200, {}, b'{"input_tokens": %d}' % tokens)


def test_the_likeliest_upstream_is_asked():
    there = scene(counted(17))

    assert there.count() == TokenCount(17, is_estimated=False)
    ((url, seconds, caller),) = there.sender.asked
    assert url == "https://api.anthropic.com/v1/messages/count_tokens"
    assert (seconds, caller) == (10.0, "the caller")


def test_it_is_asked_no_longer_than_the_request_may_take():
    there = scene(counted(17))

    there.count(deadline_seconds=3.0)

    assert there.sender.asked[0][1] == 3.0


@pytest.mark.parametrize(
    "failure",
    [LLMTimeout(), HttpReply(429, {}, b"{}"), HttpReply(200, {}, b"{}")],
    ids=repr,
)
def test_what_an_upstream_does_not_count_is_estimated_for_its_model(failure):
    estimated = estimate_request(ASKED, "claude")

    assert scene(failure).count() == TokenCount(estimated, is_estimated=True)


@pytest.mark.parametrize("model", ["mini", "gpt-4o"])
def test_for_an_upstream_that_counts_nothing_an_estimate_is_made(model):
    there = scene()

    estimated = estimate_request(ASKED, "o200k")
    assert there.count(model) == TokenCount(estimated, is_estimated=True)
    assert there.sender.asked == []


def test_for_a_caller_who_is_gone_nothing_is_estimated():
    with pytest.raises(CallerGone):
        scene(CallerGone()).count()


def test_an_unknown_model_counts_nothing():
    with pytest.raises(ModelNotFound):
        scene().count("other")
