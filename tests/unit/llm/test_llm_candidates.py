from dataclasses import replace

import pytest
from model_scene import FakeDialects

from flaskllm.core.errors import (
    InvalidInputError,
    LLMContextTooLong,
    NoModelConfigured,
)
from flaskllm.llm import candidates
from flaskllm.llm.catalog import Catalog, Route
from flaskllm.llm.lineup import Exclusion
from flaskllm.llm.parts import Image, Message, Text, ToolResult
from flaskllm.llm.terms import Limits, Price
from flaskllm.llm.tokens import estimate_request
from flaskllm.llm.types import (
    CallerBody,
    CompletionRequest,
    Deployment,
    EmbeddingRequest,
    Extraction,
    JsonFormat,
    Timeouts,
    Tool,
)

A = Deployment("a", "p", "openai", "model-a")
B = Deployment("b", "p", "openai", "model-b")
REQUEST = CompletionRequest("top", (Message("user", "word " * 100),))
DIGEST = replace(REQUEST, extraction=Extraction("summary", "en", ()))
JSON = replace(REQUEST, json_schema={"type": "object"})


def catalog(first, *others, fallbacks=()):
    """Route `top` to the first deployment, and each fallback alias to one more."""
    deployments = {each.name: each for each in (first, *others)}
    routes = [Route(alias="top", weights={first.name: 1}, fallbacks=fallbacks)]
    routes += [Route(alias=each.name, weights={each.name: 1}) for each in others]
    return Catalog(tuple(routes), deployments)


def line_up(routes, request, wires=frozenset({"openai.chat"})):
    return candidates.line_up(
        routes, request, FakeDialects(wires), lambda known, request: known
    )


def names(lineup):
    return [each.deployment.name for each in lineup.candidates]


def test_the_fallbacks_stand_behind_the_route():
    lineup = line_up(catalog(A, B, fallbacks=("b",)), REQUEST)

    assert [(c.alias, c.deployment) for c in lineup.candidates] == [
        ("top", A),
        ("b", B),
    ]
    assert lineup.objections == ()
    assert lineup.excluded == ()


def test_a_deployment_that_two_routes_share_stands_once():
    routes = (
        Route(alias="top", weights={"a": 1, "b": 1}, fallbacks=("rest",)),
        Route(alias="rest", weights={"a": 1, "b": 1}),
    )

    lineup = line_up(Catalog(routes, {"a": A, "b": B}), REQUEST)

    assert sorted(names(lineup)) == ["a", "b"]


def test_offline_is_a_candidate_only_of_a_request_that_needs_no_model():
    routes = catalog(A, fallbacks=("offline",))

    assert names(line_up(routes, REQUEST)) == ["a"]
    assert names(line_up(routes, DIGEST)) == ["a", "offline"]


def test_a_star_passes_the_callers_name_on():
    star = replace(A, model="*")
    routes = (Route(pattern="qwen*", weights={"a": 1}),)

    lineup = line_up(Catalog(routes, {"a": star}), replace(REQUEST, model="qwen3"))

    assert lineup.candidates[0].deployment == replace(star, model="qwen3")


@pytest.mark.parametrize("model", [None, "auto"])
def test_a_star_needs_a_name_to_pass_on(model):
    request = replace(REQUEST, model=model)

    with pytest.raises(InvalidInputError, match="not valid") as caught:
        line_up(catalog(replace(A, model="*")), request)

    assert caught.value.fields[0].path == "model"


CAPABILITIES = {
    "unknown": (None, True),
    "listed": (frozenset({"json", "tools"}), True),
    "not listed": (frozenset({"tools"}), False),
    "none": (frozenset(), False),
}


@pytest.mark.parametrize(
    ("capabilities", "is_asked"), CAPABILITIES.values(), ids=CAPABILITIES
)
def test_only_a_list_without_json_keeps_a_json_request_away(capabilities, is_asked):
    routes = catalog(replace(A, capabilities=capabilities), B, fallbacks=("b",))

    assert ("a" in names(line_up(routes, JSON))) is is_asked
    assert "a" in names(line_up(routes, REQUEST))


def test_when_nothing_can_answer_in_json_the_objection_says_so():
    lineup = line_up(catalog(replace(A, capabilities=frozenset())), JSON)

    assert lineup.candidates == ()
    (objection,) = lineup.objections
    assert isinstance(objection, NoModelConfigured)
    assert "'json'" in objection.details
    assert "'top'" in objection.details


def test_a_window_that_is_too_small_is_skipped():
    routes = catalog(replace(A, context_window=50), B, fallbacks=("b",))

    assert names(line_up(routes, REQUEST)) == ["b"]


def test_the_answers_cap_must_fit_the_window_too():
    needed = estimate_request(REQUEST)
    capped = replace(REQUEST, max_output_tokens=100)

    exact = catalog(replace(A, context_window=needed + 100))
    short = catalog(replace(A, context_window=needed + 99))

    assert names(line_up(exact, capped)) == ["a"]
    assert names(line_up(short, capped)) == []


def test_when_no_window_is_long_enough_the_objection_names_both_sizes():
    small = replace(A, context_window=64)
    larger = replace(B, context_window=96, max_output_tokens=16)

    lineup = line_up(catalog(small, larger, fallbacks=("b",)), REQUEST)

    assert lineup.candidates == ()
    (objection,) = lineup.objections
    assert isinstance(objection, LLMContextTooLong)
    assert f"about {estimate_request(REQUEST)} tokens" in objection.details
    assert "largest context window is 96 tokens, which leaves 80" in objection.details


def test_an_input_that_no_minute_has_room_for_is_never_sent():
    needed = estimate_request(REQUEST)
    exact = replace(A, limits=Limits(tokens_per_minute=needed))
    short = replace(A, limits=Limits(tokens_per_minute=needed - 1))

    assert names(line_up(catalog(exact), REQUEST)) == ["a"]
    lineup = line_up(catalog(short), REQUEST)

    (out,) = lineup.excluded
    assert out.reason == "too_long"
    assert out.details == f"about {needed} tokens of input, and room for {needed - 1}"
    (objection,) = lineup.objections
    assert isinstance(objection, LLMContextTooLong)
    assert f"at most {needed - 1} tokens" in objection.details
    assert "tokens_per_minute" in objection.details


def test_texts_that_no_minute_has_room_for_are_never_embedded():
    texts = EmbeddingRequest("top", ("word " * 100,))
    short = catalog(replace(A, limits=Limits(tokens_per_minute=9)))

    lineup = candidates.line_up_embedding(short, texts, lambda deployment: True)

    assert lineup.candidates == ()
    assert isinstance(lineup.objections[0], LLMContextTooLong)


def test_offline_has_no_window():
    routes = catalog(replace(A, context_window=10), fallbacks=("offline",))

    assert names(line_up(routes, DIGEST)) == ["offline"]


def showing(*parts):
    """Return a request whose turn holds these parts."""
    return replace(REQUEST, messages=(Message("user", (Text("Look:"), *parts)),))


PICTURE = Image(data="AA==", media_type="image/png")
CALLER = CallerBody("openai.chat", {})
ASKED = {
    "an image": (showing(PICTURE), "vision", "messages"),
    "a tool's image": (
        showing(ToolResult("call-1", (Text("a plot"), PICTURE))),
        "vision",
        "messages",
    ),
    "a tool": (replace(REQUEST, tools=(Tool("f"),)), "tools", "tools"),
    "JSON": (replace(REQUEST, json_format=JsonFormat()), "json", "response_format"),
}


@pytest.mark.parametrize(
    ("request_", "capability", "path"), ASKED.values(), ids=list(ASKED)
)
def test_what_a_deployment_is_known_to_lack_keeps_the_request_away(
    request_, capability, path
):
    others = frozenset({"json", "tools", "vision"}) - {capability}
    blind = replace(A, capabilities=others)
    able = replace(B, capabilities=frozenset({capability}))

    lineup = line_up(catalog(blind, able, fallbacks=("b",)), request_)

    assert names(lineup) == ["b"]
    (objection,) = lineup.objections
    assert isinstance(objection, NoModelConfigured)
    assert repr(capability) in objection.details


@pytest.mark.parametrize(
    ("request_", "capability", "path"), ASKED.values(), ids=list(ASKED)
)
def test_what_none_can_do_is_the_callers_to_mend(request_, capability, path):
    unable = catalog(replace(A, capabilities=frozenset({"embeddings"})))

    with pytest.raises(InvalidInputError) as caught:
        line_up(unable, request_)

    (field,) = caught.value.fields
    assert field.path == path
    assert path in caught.value.details
    assert capability in field.allowed


@pytest.mark.parametrize("request_", [each[0] for each in ASKED.values()], ids=ASKED)
def test_capabilities_that_nobody_listed_are_believed(request_):
    assert names(line_up(catalog(A), request_)) == ["a"]


def test_a_tools_words_are_no_image():
    words = showing(ToolResult("call-1", (Text("42"),)))
    blind = replace(A, capabilities=frozenset())

    assert names(line_up(catalog(blind), words)) == ["a"]


def test_several_choices_go_where_the_dialect_is_shared():
    several = replace(REQUEST, choices=3, body=CALLER)

    assert names(line_up(catalog(A), several)) == ["a"]


ALONE = {
    "another dialect": (CALLER, frozenset({"anthropic.messages"})),
    "a caller of no dialect": (None, frozenset({"openai.chat"})),
}


@pytest.mark.parametrize(("body", "wires"), ALONE.values(), ids=ALONE)
def test_several_choices_are_refused_where_it_is_not(body, wires):
    several = replace(REQUEST, choices=3, body=body)

    with pytest.raises(InvalidInputError) as caught:
        line_up(catalog(A), several, wires)

    (field,) = caught.value.fields
    assert (field.path, field.allowed) == ("n", "1")


def test_all_that_is_in_the_way_is_named_where_no_one_thing_is():
    mixed = replace(showing(PICTURE), tools=(Tool("f"),))
    sees = replace(A, capabilities=frozenset({"vision"}))
    calls = replace(B, capabilities=frozenset({"tools"}))

    with pytest.raises(InvalidInputError) as caught:
        line_up(catalog(sees, calls, fallbacks=("b",)), mixed)

    assert [field.path for field in caught.value.fields] == ["messages", "tools"]


def test_only_what_every_deployment_lacks_is_named_where_there_is_such():
    mixed = replace(showing(PICTURE), tools=(Tool("f"),))
    blind = replace(A, capabilities=frozenset({"tools"}))
    unable = replace(B, capabilities=frozenset())

    with pytest.raises(InvalidInputError) as caught:
        line_up(catalog(blind, unable, fallbacks=("b",)), mixed)

    assert [field.path for field in caught.value.fields] == ["messages"]


def test_a_routes_time_outs_stand_in_for_the_deployments_own():
    patient = replace(A, timeouts=Timeouts(60.0, 50.0, 40.0))
    route = Route(alias="top", weights={"a": 1}, timeouts={"first_token_seconds": 2.0})

    lineup = line_up(Catalog((route,), {"a": patient}), REQUEST)

    assert lineup.candidates[0].deployment.timeouts == Timeouts(60.0, 2.0, 40.0)


def test_a_star_passes_on_no_name_that_could_mean_something_in_an_address():
    star = replace(A, model="*")
    routes = Catalog((Route(pattern="*", weights={"a": 1}),), {"a": star})

    for name in ("a/../b", "a b", "a?x=1", "", "x" * 300):
        with pytest.raises(InvalidInputError):
            line_up(routes, replace(REQUEST, model=name))


DEAR = Price(input=10**9, output=10**9)
UNPRICED = replace(A, kind="vllm", model="m")


def strict(*deployments):
    """Route `top` to deployments that have to have a price."""
    weights = {each.name: 1 for each in deployments}
    route = Route(alias="top", weights=weights, require_price=True)
    return Catalog((route,), {each.name: each for each in deployments})


def test_a_route_that_requires_a_price_leaves_out_who_has_none():
    lineup = line_up(strict(UNPRICED, replace(B, price=DEAR)), REQUEST)

    assert names(lineup) == ["b"]
    assert lineup.excluded == (Exclusion("top", "a", "no_price"),)
    (objection,) = lineup.objections
    assert isinstance(objection, NoModelConfigured)
    assert "'a'" in objection.details
    assert "require_price" in objection.details


def test_a_route_that_requires_a_price_takes_who_has_one():
    lineup = line_up(strict(replace(A, price=DEAR), replace(B, price=DEAR)), REQUEST)

    assert (names(lineup), lineup.objections) == (["a", "b"], ())


def test_a_fallback_does_not_inherit_that_a_price_is_required():
    known = strict(replace(A, price=DEAR))
    routes = (
        replace(known.routes[0], fallbacks=("rest",)),
        Route(alias="rest", weights={"b": 1}),
    )
    unpriced = replace(UNPRICED, name="b")

    lineup = line_up(Catalog(routes, {**known.deployments, "b": unpriced}), REQUEST)

    assert names(lineup) == ["a", "b"]


EXCLUDED = {
    "a need": (
        replace(A, capabilities=frozenset()),
        ASKED["a tool"][0],
        ("lacking", "tools"),
    ),
    "a window": (
        replace(A, context_window=50),
        REQUEST,
        (
            "too_long",
            f"about {estimate_request(REQUEST)} tokens of input, and room for 50",
        ),
    ),
}


@pytest.mark.parametrize(
    ("unfit", "request_", "reason"), EXCLUDED.values(), ids=EXCLUDED
)
def test_who_is_left_out_is_named_with_the_reason(unfit, request_, reason):
    lineup = line_up(catalog(unfit, B, fallbacks=("b",)), request_)

    assert lineup.excluded == (Exclusion("top", "a", *reason),)


def test_a_candidate_has_the_weight_of_its_route():
    routes = Catalog((Route(alias="top", weights={"a": 4, "b": 1}),), {"a": A, "b": B})

    lineup = line_up(routes, REQUEST)

    assert [(each.name, each.weight) for each in lineup.candidates] == [
        ("a", 4),
        ("b", 1),
    ]
    assert lineup.routes["top"].weights == {"a": 4, "b": 1}
