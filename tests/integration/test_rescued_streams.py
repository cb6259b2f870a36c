"""A stream that breaks off and another deployment goes on with: at every face."""

import json
import threading
from itertools import pairwise

import pytest
from dialect_scene import Caller, claude_events, events_in
from stream_steps import DONE, chunk, event, fin_after, head, sse, tokens

from flaskllm.core.sse import SSEParser

SETTINGS = """
providers:
  claude: {{kind: anthropic, base_url: {url}, api_key: upstream-credential}}
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  haiku: {{provider: claude, model: claude-haiku-4-5}}
  small: {{provider: box, model: scripted-1}}
routes:
  - {{alias: open, deployments: {{small: 1}}, fallbacks: [claude-only]}}
  - {{alias: claude, deployments: {{haiku: 1}}, fallbacks: [open-only]}}
  - {{alias: open-only, deployments: {{small: 1}}}}
  - {{alias: claude-only, deployments: {{haiku: 1}}}}
default_route: open
"""
HELLO = [{"role": "user", "content": "Hello"}]
OPEN = tokens("Hel", "lo there.")  # a role, a chunk a text, ...
CLAUDE = claude_events("Hel", "lo there.")  # the start, a block, a ping, ...
TO_CLAUDE = {
    "from": "small",
    "to": "haiku",
    "at_character": 3,
    "code": "LLM_PROTOCOL_ERROR",
    "mode": "match",
}
TO_OPEN = TO_CLAUDE | {"from": "haiku", "to": "small"}
# What the broken attempt took is estimated, and so the sum is.
LEAST_INPUT, LEAST_OUTPUT = 11, 4


@pytest.fixture
def caller(make_gateway, upstream):
    return Caller(make_gateway(SETTINGS.format(url=upstream.url)))


@pytest.fixture
def open_breaks(upstream):
    upstream.script(fin_after(OPEN, 2), sse(CLAUDE))


@pytest.fixture
def claude_breaks(upstream):
    upstream.script(fin_after(CLAUDE, 4), sse(OPEN))


def lines_of(reply):
    """Return the JSON of each event; the end mark stays a text."""
    texts = [each.data.decode() for each in SSEParser().feed(reply.data)]
    return [text if text == "[DONE]" else json.loads(text) for text in texts]


@pytest.mark.usefixtures("open_breaks")
class TestOpenAI:
    @pytest.fixture
    def told(self, caller):
        options = {"include_usage": True}
        body = {"model": "open", "messages": HELLO, "stream_options": options}
        return lines_of(caller.post("/v1/chat/completions", body | {"stream": True}))

    def test_the_chunks_are_of_one_answer_to_its_end(self, told):
        *chunks, done = told

        (one,) = {(e["id"], e["object"], e["created"], e["model"]) for e in chunks}
        assert one == (
            "chatcmpl-fake",
            "chat.completion.chunk",
            1767603600,
            "fake-model-1",
        )
        deltas = [each["choices"][0]["delta"] for each in chunks[:-1]]
        assert [each.get("content") for each in deltas] == [
            "",
            "Hel",
            "lo there.",
            None,
        ]
        assert ["role" in each for each in deltas] == [True, False, False, False]
        assert done == "[DONE]"

    def test_the_last_chunk_tells_of_the_seam_and_the_usage_of_both(self, told):
        *_, last, counted, _ = told

        assert last["choices"][0]["finish_reason"] == "stop"
        assert last["flaskllm"] == {"rescue": TO_CLAUDE}
        assert counted["usage"]["prompt_tokens"] > LEAST_INPUT
        assert counted["usage"]["completion_tokens"] > LEAST_OUTPUT

    def test_both_attempts_are_recorded_and_the_header_names_the_first(self, caller):
        reply = caller.post(
            "/v1/chat/completions",
            {"model": "open", "messages": HELLO, "stream": True},
        )
        assert reply.data.endswith(DONE)

        first, second = caller.gateway.events("attempt_ended")
        assert (first["code"], second["code"]) == ("LLM_PROTOCOL_ERROR", "OK")
        # It was sent before the stream broke.
        assert reply.headers["X-Flaskllm-Decision"] == first["decision"]
        assert "rescue" in second["decision"]


def text_event(text):
    choice = {"index": 0, "text": text, "finish_reason": None}
    return event({"id": "cmpl-fake", "model": "fake-model-1", "choices": [choice]})


@pytest.mark.usefixtures("claude_breaks")
class TestAnthropic:
    @pytest.fixture
    def told(self, caller):
        return events_in(caller.ask(model="claude", stream=True))

    def test_the_events_are_of_one_message_to_its_end(self, told):
        assert [each["type"] for each in told] == [
            "message_start",
            "content_block_start",
            "ping",
            "content_block_delta",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
        assert {each["index"] for each in told if "index" in each} == {0}
        deltas = [each["delta"]["text"] for each in told[3:5]]
        assert deltas == ["Hel", "lo there."]

    def test_the_message_s_delta_tells_of_the_seam_and_the_usage_of_both(self, told):
        ended = told[-2]

        assert ended["flaskllm"] == {"rescue": TO_OPEN}
        assert ended["delta"]["stop_reason"] == "end_turn"
        assert ended["usage"]["output_tokens"] > LEAST_OUTPUT


@pytest.mark.usefixtures("open_breaks")
class TestOurOwnChunks:
    def test_a_response_is_one_item_and_names_the_seam(self, caller):
        told = events_in(caller.respond(stream=True))

        numbers = [each["sequence_number"] for each in told]
        assert all(b == a + 1 for a, b in pairwise(numbers))
        (item,) = told[-1]["response"]["output"]
        assert item["content"][0]["text"] == "Hello there."
        assert told[-1]["type"] == "response.completed"
        assert told[-1]["flaskllm"] == {"rescue": TO_CLAUDE}
        assert told[-1]["response"]["usage"]["output_tokens"] > LEAST_OUTPUT

    def test_a_chat_of_ours_says_it_when_it_is_done(self, caller):
        reply = caller.post("/api/v1/chat/stream", {"message": "Hello"})

        *words, done = lines_of(reply)
        assert "".join(each["text"] for each in words) == "Hello there."
        assert done["meta"] == {"rescue": TO_CLAUDE}
        # Who said the end of it.
        assert done["model"] == "claude-haiku-4-5-20251001"
        assert done["usage"]["tokens_output"] > LEAST_OUTPUT
        assert done["usage"]["source"] == "estimated"


def test_a_text_completion_goes_on_too(caller, upstream):
    upstream.script(fin_after([text_event("Hel"), text_event("x")], 1), sse(CLAUDE))
    body = {"model": "open", "prompt": "Hello", "stream": True}

    *chunks, done = lines_of(caller.post("/v1/completions", body))

    texts = "".join(each["choices"][0]["text"] for each in chunks)
    assert (texts, done) == ("Hello there.", "[DONE]")
    assert {each["id"] for each in chunks} == {"cmpl-fake"}
    assert chunks[-1]["flaskllm"] == {"rescue": TO_CLAUDE}


def test_between_blocks_the_text_goes_on_in_a_new_one(caller, upstream):
    has_read = threading.Event()

    def breaks_between_blocks(exchange):
        block = [*CLAUDE[:4], CLAUDE[5]]
        exchange.write(head() + b"".join(map(chunk, block)))
        assert has_read.wait(5)
        error = {"type": "error", "error": {"type": "overloaded_error"}}
        exchange.write(chunk(event(error, "error")))
        exchange.close()

    upstream.script(breaks_between_blocks, sse(OPEN))

    reply = caller.ask(model="claude", stream=True)
    has_read.set()

    blocks = [
        (each["type"].removeprefix("content_block_"), each["index"])
        for each in events_in(reply)
        if "index" in each
    ]
    assert blocks == [
        ("start", 0),
        ("delta", 0),
        ("stop", 0),
        ("start", 1),
        ("delta", 1),
        ("stop", 1),
    ]


def test_a_rescue_that_does_not_match_leaves_the_error_of_the_first(caller, upstream):
    upstream.script(fin_after(OPEN, 2), sse(claude_events("Good morning.")))

    reply = caller.post("/api/v1/chat/stream", {"message": "Hello"})

    *words, error = lines_of(reply)
    assert [each["text"] for each in words] == ["Hel"]
    assert error["code"] == "LLM_PROTOCOL_ERROR"
