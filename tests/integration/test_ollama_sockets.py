"""Ollama's dialect through the router, over a real socket."""

from contextlib import closing
from dataclasses import replace
from random import Random

import pytest
from fakes import json_reply
from socket_scene import CLOCK, REQUEST, Told, text_of, transport
from stream_steps import ndjson

from flaskllm.core.errors import (
    InvalidInputError,
    LLMContextTooLong,
    LLMProtocolError,
    LLMServerError,
)
from flaskllm.llm.catalog import Catalog, Route
from flaskllm.llm.parts import Image, Message
from flaskllm.llm.patience import Policy
from flaskllm.llm.providers import build_provider
from flaskllm.llm.router import Router
from flaskllm.llm.types import Deployment, EmbeddingRequest

MODEL = "llama3.1:8b"
LAST = {
    "model": MODEL,
    "message": {"role": "assistant", "content": ""},
    "done": True,
    "done_reason": "stop",
    "prompt_eval_count": 17,
    "eval_count": 3,
}


def piece(text):
    return {"model": MODEL, "message": {"role": "assistant", "content": text}}


@pytest.fixture
def router(upstream):
    deployment = Deployment("llama", "box", "ollama", MODEL)
    catalog = Catalog(
        (Route(alias="local", weights={"llama": 1}),), {"llama": deployment}
    )
    provider = build_provider("ollama", f"{upstream.url}/v1", None, CLOCK)
    with closing(transport()) as sender:
        yield Router(catalog, {"box": provider}, {"box": sender}, Policy(), Random(1))


def test_a_whole_answer_comes_with_its_counts(router, upstream):
    upstream.script(json_reply({**LAST, **piece("Friday."), "done": True}))
    told = Told()

    answer = router.complete(REQUEST, told.call())

    assert answer.completion.text == "Friday."
    assert answer.completion.usage.tokens_input == 17
    assert told.codes == ["OK"]
    (sent,) = upstream.requests
    assert sent.path == "/api/chat"
    assert sent.json["options"]["num_ctx"] == 8192


def test_a_stream_comes_line_by_line_and_its_connection_is_used_again(router, upstream):
    upstream.always(ndjson([piece("On "), piece("Friday."), LAST]))
    told = Told()

    for _ in range(2):
        answer = router.stream(REQUEST, told.call())
        assert text_of(answer) == "On Friday."
        assert answer.finish_reason == "stop"
        answer.close()

    assert [outcome.usage.tokens_output for outcome in told.outcomes] == [3, 3]
    assert upstream.connections == 1


def test_an_error_before_the_first_word_is_raised_and_asked_again(router, upstream):
    broken = ndjson([{"error": "llama runner process has terminated"}])
    upstream.script(broken, ndjson([piece("Friday."), LAST]))
    told = Told()

    with closing(router.stream(REQUEST, told.call())) as answer:
        assert text_of(answer) == "Friday."

    assert told.codes == ["LLM_UNAVAILABLE", "OK"]


BROKEN = {
    "an error in a line": ([piece("Fri"), {"error": "unexpected EOF"}], LLMServerError),
    "no last line": ([piece("Fri")], LLMProtocolError),
}


@pytest.mark.parametrize(("lines", "error"), BROKEN.values(), ids=BROKEN)
def test_a_stream_that_breaks_after_its_first_word_is_no_clean_end(
    router, upstream, lines, error
):
    upstream.always(ndjson(lines, every_seconds=0.1))  # one line a read
    told = Told()
    answer = router.stream(REQUEST, told.call())

    with pytest.raises(error):
        list(answer)

    # Nobody else is there, so the same one is asked once for the rest, in vain.
    assert told.codes == [error.code] * 2
    assert told.outcomes[0].usage.source == "estimated"


def test_an_input_that_the_server_has_cut_is_told_as_too_long(router, upstream):
    long = replace(REQUEST, messages=(Message("user", "we meet on friday " * 3000),))
    upstream.always(
        json_reply({**LAST, **piece("Hm."), "done": True, "prompt_eval_count": 4096})
    )
    told = Told()

    with pytest.raises(LLMContextTooLong):
        router.complete(long, told.call())

    assert told.codes == ["LLM_CONTEXT_TOO_LONG"]


def test_an_image_by_its_address_is_the_callers_to_mend(router, upstream):
    picture = Image(url="https://x.test/a.png")
    asked = replace(REQUEST, messages=(Message("user", (picture,)),))

    with pytest.raises(InvalidInputError):
        router.complete(asked, Told().call())

    assert upstream.requests == []


def test_vectors_come_in_the_order_of_the_inputs(router, upstream):
    upstream.script(
        json_reply(
            {"model": MODEL, "embeddings": [[1, 0], [0, 1]], "prompt_eval_count": 4}
        )
    )

    answer = router.embed(EmbeddingRequest(None, ("one", "two")), Told().call())

    assert answer.embeddings.vectors == ([1.0, 0.0], [0.0, 1.0])
    assert upstream.requests[0].path == "/api/embed"
