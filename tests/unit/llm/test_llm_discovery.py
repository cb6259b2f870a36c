"""Upstreams are asked what they list when somebody needs to know, and not more."""

import logging
import threading
from dataclasses import dataclass, field

import pytest
from fakes import FakeClock

from flaskllm.core.errors import LLMProtocolError, LLMTimeout
from flaskllm.llm.discovery import Discovery, Shelf
from flaskllm.llm.providers import ListedModel
from flaskllm.llm.types import Deployment
from flaskllm.net.transport import HttpReply, HttpRequest

SAMPLE = Deployment("box", "box", "ollama", "*", context_window=2048)
OTHER = Deployment("rack", "rack", "vllm", "*")
GOOD = HttpReply(200, {}, b"llama3.1:8b gemma3:4b")


class Lister:
    """Reads a list of names; `x!` is one that tells all about itself."""

    def encode_listing(self):
        return HttpRequest("GET", "http://box/models", {}, b"")

    def decode_listing(self, reply):
        if not reply.body:
            raise LLMProtocolError
        known = (8192, 1024, frozenset({"tools"}))
        return tuple(
            ListedModel(name.strip("!"), *(known if name.endswith("!") else ()))
            for name in reply.body.decode().split(" ")
        )


@dataclass
class Sender:
    replies: list
    asked: list = field(default_factory=list)

    def send(self, request, *, deadline, caller=None, first_byte_seconds=None):
        self.asked.append((request.url, deadline.remaining_seconds()))
        reply = self.replies.pop(0)
        if callable(reply):
            reply = reply()
        if isinstance(reply, Exception):
            raise reply
        return reply


@pytest.fixture
def clock():
    return FakeClock()


def discovery(clock, *replies, more=()):
    """Return the discovery of one upstream (and of a second), and who is asked."""
    sender, other = Sender(list(replies)), Sender(list(more))
    shelves = [Shelf(SAMPLE, Lister(), sender), Shelf(OTHER, Lister(), other)]
    return Discovery(shelves if more else shelves[:1], clock), sender


def ids(found):
    return [model.id for model in found.models("box")]


def test_nothing_is_asked_until_somebody_wants_to_know(clock):
    found, sender = discovery(clock, GOOD)

    assert sender.asked == []
    assert ids(found) == ["llama3.1:8b", "gemma3:4b"]
    assert sender.asked == [("http://box/models", 5.0)]
    assert found.providers() == ("box",)


def test_a_list_is_good_for_five_minutes(clock):
    found, sender = discovery(clock, GOOD, HttpReply(200, {}, b"new"))

    ids(found)
    clock.advance(299.0)
    assert ids(found) == ["llama3.1:8b", "gemma3:4b"]
    clock.advance(1.0)
    assert ids(found) == ["new"]
    assert len(sender.asked) == 2


FAILURES = {
    "silence": LLMTimeout(),
    "a status": HttpReply(500, {}, b"x"),
    "nonsense": HttpReply(200, {}, b""),
}


@pytest.mark.parametrize("failing", FAILURES.values(), ids=FAILURES)
def test_the_last_good_list_stands_while_the_upstream_fails(clock, failing, caplog):
    found, sender = discovery(clock, GOOD, failing, HttpReply(200, {}, b"new"))

    ids(found)
    clock.advance(300.0)
    with caplog.at_level(logging.WARNING):
        assert ids(found) == ["llama3.1:8b", "gemma3:4b"]
    assert [record.message for record in caplog.records] == ["models_not_listed"]
    clock.advance(29.0)
    ids(found)
    assert len(sender.asked) == 2
    clock.advance(1.0)
    assert ids(found) == ["new"]


def test_an_upstream_that_never_answered_lists_nothing_and_is_left_alone(clock):
    found, sender = discovery(clock, LLMTimeout())

    assert found.find("llama3.1:8b") is None
    assert found.names() == ()
    assert len(sender.asked) == 1


def test_a_listed_model_becomes_a_deployment_like_its_providers_others(clock):
    found, _ = discovery(clock, HttpReply(200, {}, b"plain full!"))

    plain, full = found.find("plain"), found.find("full", "box")

    assert (plain.name, plain.provider, plain.model) == ("box/plain", "box", "plain")
    assert (plain.context_window, plain.capabilities) == (2048, None)
    assert (full.context_window, full.max_output_tokens) == (8192, 1024)
    assert full.capabilities == {"tools"}
    assert found.find("other") is None


def test_of_two_upstreams_with_the_same_model_the_first_is_taken(clock):
    more = [HttpReply(200, {}, b"gemma3:4b mine")]
    found, _ = discovery(clock, GOOD, more=more)

    assert found.find("gemma3:4b").provider == "box"
    assert found.find("gemma3:4b", "rack").provider == "rack"
    assert found.find("mine").provider == "rack"
    assert found.names() == ("llama3.1:8b", "gemma3:4b", "mine")


def test_a_provider_that_is_not_asked_lists_nothing(clock):
    found, sender = discovery(clock, GOOD)

    assert found.models("openai") == ()
    assert found.find("gemma3:4b", "openai") is None
    assert sender.asked == []


def test_a_name_that_could_mean_something_in_an_address_is_left_out(clock):
    found, _ = discovery(clock, HttpReply(200, {}, b"good ../admin a?b"))

    assert found.names() == ("good",)


class TestThreads:
    def test_many_who_want_to_know_at_once_ask_once(self, clock):
        begun, go_on = threading.Event(), threading.Event()

        def slow():
            begun.set()
            assert go_on.wait(5)
            return GOOD

        found, sender = discovery(clock, slow)
        heard = []
        threads = [
            threading.Thread(target=lambda: heard.append(ids(found))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        assert begun.wait(5)
        go_on.set()
        for thread in threads:
            thread.join(5)

        assert heard == [["llama3.1:8b", "gemma3:4b"]] * 8
        assert len(sender.asked) == 1

    def test_who_has_a_list_does_not_wait_for_the_next(self, clock):
        begun, go_on = threading.Event(), threading.Event()

        def slow():
            begun.set()
            assert go_on.wait(5)
            return HttpReply(200, {}, b"new")

        found, _ = discovery(clock, GOOD, slow)
        ids(found)
        clock.advance(300.0)
        thread = threading.Thread(target=found.names)
        thread.start()
        assert begun.wait(5)

        assert ids(found) == ["llama3.1:8b", "gemma3:4b"]
        go_on.set()
        thread.join(5)
        assert ids(found) == ["new"]


class TestWithoutAsking:
    def test_nothing_is_known_before_somebody_asked(self, clock):
        found, sender = discovery(clock, GOOD)
        known = found.without_asking()

        assert (known.names(), known.models("box"), known.find("gemma3:4b")) == (
            (),
            (),
            None,
        )
        assert sender.asked == []

    def test_what_was_listed_last_is_known_however_old_it_is(self, clock):
        found, sender = discovery(clock, GOOD)
        known = found.without_asking()
        found.names()
        clock.advance(3600.0)

        assert known.names() == ("llama3.1:8b", "gemma3:4b")
        assert known.find("gemma3:4b").name == "box/gemma3:4b"
        assert len(sender.asked) == 1

    def test_others_go_on_asking(self, clock):
        found, sender = discovery(clock, GOOD)
        found.without_asking()

        assert ids(found) == ["llama3.1:8b", "gemma3:4b"]
        assert len(sender.asked) == 1
