"""Servers are asked about models that nobody described, where it may matter."""

import json
import logging
from dataclasses import dataclass, field, replace

import pytest
from fakes import FakeClock

from flaskllm.core.errors import LLMTimeout
from flaskllm.llm.descriptions import Descriptions, Source
from flaskllm.llm.parts import Image, Message, Text, Thinking, ToolCall, ToolResult
from flaskllm.llm.providers import build_provider
from flaskllm.llm.types import CompletionRequest, Deployment, Tool
from flaskllm.net.transport import HttpReply

OLLAMA = Deployment("llama", "box", "ollama", "llama3.1:8b")
VLLM = Deployment("qwen", "rack", "vllm", "qwen")
HOSTED = Deployment("mini", "hosted", "openai", "mini")
SHORT = CompletionRequest(None, (Message("user", "Hello"),))
LONG = replace(SHORT, messages=(Message("user", "word " * 400),))
PICTURE = Image(data="AA==", media_type="image/png")


def of_parts(role, *parts):
    return replace(SHORT, messages=(Message(role, parts),))


SEEING = of_parts("user", PICTURE)


def shown(window=8192, abilities=("completion", "tools")):
    told = {
        "model_info": {"general.architecture": "x", "x.context_length": window},
        "capabilities": list(abilities),
    }
    return HttpReply(200, {}, json.dumps(told).encode())


def listed(**windows):
    entries = [{"id": name, "max_model_len": n} for name, n in windows.items()]
    return HttpReply(200, {}, json.dumps({"data": entries}).encode())


@dataclass
class Sender:
    """Answers with each reply or error once, and takes its time."""

    clock: FakeClock
    replies: list
    seconds: float = 0.1
    asked: list = field(default_factory=list)

    def send(self, request, *, deadline, caller=None, first_byte_seconds=None):
        self.asked.append((request.url, deadline.remaining_seconds()))
        self.clock.advance(self.seconds)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply


@dataclass
class Scene:
    clock: FakeClock
    senders: dict
    descriptions: Descriptions

    def fill(self, deployment=OLLAMA, request=LONG):
        (filled,) = self.descriptions.fill([deployment], request)
        return filled

    def asked(self, name="box"):
        return len(self.senders[name].asked)


def scene(**replies):
    clock = FakeClock()
    kinds = {"box": "ollama", "rack": "vllm"}
    senders = {name: Sender(clock, list(each)) for name, each in replies.items()}
    sources = {
        name: Source(build_provider(kinds[name], None, None, clock), sender)
        for name, sender in senders.items()
    }
    return Scene(clock, senders, Descriptions(sources, clock))


def test_a_server_that_tells_of_each_model_is_asked_for_this_one():
    there = scene(box=[shown(4096)])

    filled = there.fill()

    assert (filled.context_window, filled.capabilities) == (4096, {"json", "tools"})
    assert there.senders["box"].asked == [("http://127.0.0.1:11434/api/show", 2.0)]


def test_a_server_that_lists_windows_is_asked_for_its_list():
    there = scene(rack=[listed(other=2048, qwen=32768)])

    assert there.fill(VLLM).context_window == 32768
    assert there.senders["rack"].asked == [("http://127.0.0.1:8000/v1/models", 2.0)]


def test_a_server_with_one_model_answers_with_it_to_every_name():
    there = scene(rack=[listed(**{"/models/tiny.gguf": 2048})])

    assert there.fill(VLLM).context_window == 2048


def test_a_model_that_is_not_listed_stays_unknown():
    there = scene(rack=[listed(a=1024, b=1024)])

    assert there.fill(VLLM) == VLLM


def test_what_the_settings_say_stands():
    there = scene(box=[shown(4096)])
    given = replace(OLLAMA, context_window=1000, capabilities=frozenset({"vision"}))

    assert there.fill(given, replace(LONG, tools=(Tool("f"),))) == given
    assert there.asked() == 0


def test_only_what_the_settings_leave_open_is_filled_in():
    there = scene(box=[shown(4096)])
    given = replace(OLLAMA, capabilities=frozenset({"vision"}), max_output_tokens=10)

    assert there.fill(given) == replace(given, context_window=4096)


def test_a_hosted_model_is_asked_about_nowhere():
    there = scene(box=[shown()])

    assert there.fill(HOSTED) == HOSTED
    mixed = there.descriptions.fill([HOSTED, OLLAMA], LONG)
    assert [each.context_window for each in mixed] == [None, 8192]


ASKING = {
    "a long text": (LONG, True),
    "a short one": (SHORT, False),
    "an image": (SEEING, True),
    "a tool": (replace(SHORT, tools=(Tool("f"),)), True),
    "hard thinking": (replace(SHORT, effort="high"), True),
    "a budget of thoughts": (replace(SHORT, thinking_tokens=0), True),
    "a long result": (
        of_parts("tool", ToolResult("c", (Text("word " * 400),))),
        True,
    ),
    "a long call": (of_parts("assistant", ToolCall("c", "f", "x" * 2000)), True),
    "long thoughts": (of_parts("assistant", Thinking("x" * 2000)), True),
}


@pytest.mark.parametrize(("request_", "asks"), ASKING.values(), ids=ASKING)
def test_a_server_is_asked_only_when_it_may_matter(request_, asks):
    there = scene(box=[shown()])

    there.fill(request=request_)

    assert there.asked() == asks


def test_a_list_of_windows_says_nothing_of_abilities_so_none_are_asked_for():
    there = scene(rack=[listed(qwen=1024)])

    assert there.fill(VLLM, SEEING) == VLLM
    assert there.asked("rack") == 0


def test_two_images_may_be_long():
    there = scene(rack=[listed(qwen=1024)])

    there.fill(VLLM, of_parts("user", PICTURE, PICTURE))

    assert there.asked("rack") == 1


def test_what_was_told_is_good_for_five_minutes():
    there = scene(box=[shown(1024), shown(2048)])

    assert there.fill().context_window == 1024
    there.clock.advance(299.0)
    assert there.fill().context_window == 1024
    there.clock.advance(1.0)
    assert there.fill().context_window == 2048
    assert there.asked() == 2


FAILURES = {
    "silence": LLMTimeout(),
    "a status": HttpReply(404, {}, b"{}"),
    "nonsense": HttpReply(200, {}, b"nonsense"),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize(("name", "deployment"), [("box", OLLAMA), ("rack", VLLM)])
def test_a_server_that_does_not_tell_is_left_alone_for_half_a_minute(
    name, deployment, failure, caplog
):
    there = scene(**{name: [failure, shown() if name == "box" else listed(qwen=8192)]})

    with caplog.at_level(logging.WARNING):
        assert there.fill(deployment) == deployment
    assert [record.message for record in caplog.records] == ["model_not_described"]
    there.clock.advance(29.0)
    assert there.fill(deployment) == deployment
    assert there.asked(name) == 1
    there.clock.advance(1.0)
    assert there.fill(deployment).context_window == 8192


def test_all_servers_together_may_take_two_seconds():
    there = scene(box=[shown()], rack=[listed(qwen=1024)])
    there.senders["box"].seconds = 1.5
    there.senders["rack"].seconds = 1.5

    there.descriptions.fill([OLLAMA, VLLM], LONG)
    assert there.senders["rack"].asked[0][1] == pytest.approx(0.5)


def test_a_server_for_which_no_time_is_left_is_asked_by_the_next_request():
    there = scene(box=[LLMTimeout()], rack=[listed(qwen=1024)])
    there.senders["box"].seconds = 2.0

    filled = there.descriptions.fill([OLLAMA, VLLM], LONG)

    assert [each.context_window for each in filled] == [None, None]
    assert there.asked("rack") == 0
    assert there.fill(VLLM).context_window == 1024


def test_of_very_many_models_the_first_is_forgotten():
    there = scene(box=[shown() for _ in range(1002)])

    for number in range(1001):
        there.fill(replace(OLLAMA, model=f"m-{number}"))
    there.fill(replace(OLLAMA, model="m-1000"))
    assert there.asked() == 1001
    there.fill(replace(OLLAMA, model="m-0"))
    assert there.asked() == 1002


@pytest.mark.parametrize(
    ("name", "deployment", "reply"),
    [("box", OLLAMA, shown(4096)), ("rack", VLLM, listed(qwen=4096))],
)
def test_from_memory_what_was_told_before_is_known_and_nobody_is_asked(
    name, deployment, reply
):
    there = scene(**{name: [reply]})

    (before,) = there.descriptions.fill_from_memory([deployment], LONG)
    assert (before, there.asked(name)) == (deployment, 0)
    there.fill(deployment)
    there.clock.advance(3600.0)
    (after,) = there.descriptions.fill_from_memory([deployment], LONG)

    assert after.context_window == 4096
    assert there.asked(name) == 1
