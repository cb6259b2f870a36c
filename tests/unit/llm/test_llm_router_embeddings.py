"""Texts become vectors through the same loop."""

from dataclasses import replace
from random import Random

import pytest
from router_scene import FakeLocal, asked
from stream_scene import LineEmbedder, LineProvider, stream_scene

from flaskllm.core.errors import (
    InvalidInputError,
    LLMProtocolError,
    LLMUnavailable,
    ModelNotFound,
)
from flaskllm.llm.catalog import Catalog, Route
from flaskllm.llm.patience import Policy
from flaskllm.llm.router import Router
from flaskllm.llm.tokens import estimate
from flaskllm.llm.types import Deployment, EmbeddingRequest, Usage
from flaskllm.net.transport import HttpReply

REQUEST = EmbeddingRequest(None, ("one", (1, 2, 3)))
GOOD = HttpReply(200, {}, b"3 1")


def embedding_scene(**steps):
    return stream_scene(provider=LineEmbedder(), policy=Policy(retries=0), **steps)


def test_each_input_gets_its_vector():
    shown = embedding_scene(a=[GOOD])

    answer = shown.router.embed(REQUEST, shown.call)

    assert answer.embeddings.vectors == ((3.0,), (1.0,))
    assert (answer.alias, answer.deployment.name, answer.attempts) == ("main", "a", 1)
    assert answer.failures == ()
    assert answer.embeddings.model == "m"


def test_what_the_upstream_does_not_count_is_estimated():
    shown = embedding_scene(a=[GOOD])

    usage = shown.router.embed(REQUEST, shown.call).embeddings.usage

    assert usage == Usage(input_uncached=estimate("one") + 3, source="estimated")
    assert shown.outcome.usage == usage


def test_what_the_upstream_counts_is_kept():
    counted = Usage(input_uncached=7, source="provider")

    class Counting(LineEmbedder):
        def decode_embedding(self, reply):
            return replace(super().decode_embedding(reply), usage=counted, model="v-1")

    shown = stream_scene(provider=Counting(), a=[GOOD])

    embeddings = shown.router.embed(REQUEST, shown.call).embeddings

    assert (embeddings.usage, embeddings.model) == (counted, "v-1")


def test_a_failing_upstream_is_not_the_callers_problem():
    shown = embedding_scene(a=[HttpReply(503, {}, b"")], b=[GOOD])

    answer = shown.router.embed(REQUEST, shown.call)

    assert (answer.deployment.name, answer.failures) == ("b", ("LLM_UNAVAILABLE",))


def test_a_vector_too_few_is_no_answer():
    shown = embedding_scene(a=[HttpReply(200, {}, b"3")])

    with pytest.raises(LLMProtocolError) as caught:
        shown.router.embed(REQUEST, shown.call)

    assert "1 vectors came for 2 inputs" in caught.value.details
    assert shown.codes == ["LLM_PROTOCOL_ERROR"]


def test_a_route_without_vectors_is_refused_before_anything_is_sent():
    shown = stream_scene(a=[GOOD])

    with pytest.raises(InvalidInputError) as caught:
        shown.router.embed(REQUEST, shown.call)

    assert caught.value.fields[0].path == "model"
    assert shown.begun == []


CAPABILITIES = {
    "unknown": (None, True),
    "listed": (frozenset({"embeddings"}), True),
    "not listed": (frozenset({"tools"}), False),
}


@pytest.mark.parametrize(
    ("capabilities", "is_asked"), CAPABILITIES.values(), ids=CAPABILITIES
)
def test_only_a_list_without_embeddings_keeps_it_away(capabilities, is_asked):
    listed = Deployment("a", "a", "vllm", "m", capabilities=capabilities)
    shown = stream_scene(
        provider=LineEmbedder(), deployments=[listed], a=[GOOD], b=[GOOD]
    )

    shown.router.embed(REQUEST, shown.call)

    asked = [attempt.deployment.name for attempt in shown.begun]
    assert asked == (["a"] if is_asked else ["b"])


def test_those_that_cannot_are_skipped():
    shown = embedding_scene(a=[], b=[GOOD], c=[GOOD])
    providers = {"a": LineProvider(), "b": FakeLocal(), "c": LineEmbedder()}
    router = Router(
        shown.router._catalog, providers, shown.senders, Policy(), Random(1)
    )

    assert router.embed(REQUEST, shown.call).deployment.name == "c"


class OfTextsAlone(LineEmbedder):
    """Refuses token numbers, as a dialect without them does."""

    takes_token_numbers = False

    def encode_embedding(self, request, deployment):
        if not all(isinstance(each, str) for each in request.inputs):
            raise InvalidInputError.of("input", "are token numbers", "texts")
        return super().encode_embedding(request, deployment)


@pytest.mark.parametrize(("inputs", "name"), [(REQUEST.inputs, "b"), (("1", "2"), "a")])
def test_who_takes_no_token_numbers_is_skipped_where_they_are_sent(inputs, name):
    shown = embedding_scene(a=[GOOD], b=[GOOD])
    providers = {"a": OfTextsAlone(), "b": LineEmbedder()}
    router = Router(
        shown.router._catalog, providers, shown.senders, Policy(), Random(1)
    )

    router.embed(replace(REQUEST, inputs=inputs), shown.call)

    assert asked(shown) == [name]


def test_where_nobody_takes_token_numbers_the_caller_is_told():
    shown = stream_scene(provider=OfTextsAlone(), a=[GOOD])

    with pytest.raises(InvalidInputError) as caught:
        shown.router.embed(REQUEST, shown.call)

    assert caught.value.fields[0].path == "input"


def test_an_unknown_model_is_not_found():
    shown = embedding_scene(a=[GOOD])

    with pytest.raises(ModelNotFound):
        shown.router.embed(replace(REQUEST, model="embed-9"), shown.call)


def test_nothing_is_sent_after_the_deadline():
    shown = embedding_scene(a=[GOOD])
    shown.clock.advance(1000.0)

    with pytest.raises(Exception, match="in time"):
        shown.router.embed(REQUEST, shown.call)

    assert shown.begun == []


def test_an_error_of_the_upstream_is_explained():
    shown = embedding_scene(a=[HttpReply(500, {}, b"")])

    with pytest.raises(LLMUnavailable):
        shown.router.embed(REQUEST, shown.call)


def test_a_catalogue_of_deployments_that_pass_the_name_on_needs_one():
    star = Deployment("a", "a", "vllm", "*")
    catalog = Catalog((Route(alias="main", weights={"a": 1}),), {"a": star})
    shown = embedding_scene(a=[GOOD])
    router = Router(catalog, {"a": LineEmbedder()}, shown.senders, Policy(), Random(1))

    with pytest.raises(InvalidInputError):
        router.embed(REQUEST, shown.call)


def test_a_fallback_to_another_model_would_mix_vectors_and_is_skipped():
    shown = embedding_scene(a=[HttpReply(503, {}, b"")], b=[GOOD])
    catalog = shown.router._catalog
    other = replace(catalog.deployments["b"], model="another")
    shown.router._catalog = replace(
        catalog, deployments={**catalog.deployments, "b": other}
    )

    with pytest.raises(LLMUnavailable):
        shown.router.embed(REQUEST, shown.call)

    assert asked(shown) == ["a"]


def test_where_nothing_remains_of_a_limit_another_is_asked():
    said = {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "20s",
    }
    shown = embedding_scene(a=[HttpReply(200, said, b"3 1")], b=[GOOD])

    first = shown.router.embed(REQUEST, shown.call)
    second = shown.router.embed(REQUEST, shown.call)

    assert first.rate_limits == said
    assert (second.deployment.name, asked(shown)) == ("b", ["a", "b"])
