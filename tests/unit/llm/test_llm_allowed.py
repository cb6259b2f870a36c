"""A caller with a list of names: what it may send, and what all others read like."""

from dataclasses import replace

import pytest
from fakes import FakeClock
from hypothesis import given
from hypothesis import strategies as st
from router_scene import DIGEST, REQUEST, FakeLocal, answer, asked, scene, status

from flaskllm.core.clock import Deadline
from flaskllm.core.errors import APIError, ModelNotFound, NoModelConfigured
from flaskllm.llm.allowed import EVERYTHING, Allowed
from flaskllm.llm.candidates import leading, line_up_embedding
from flaskllm.llm.catalog import Catalog
from flaskllm.llm.counting import Counting
from flaskllm.llm.route import OFFLINE_ROUTE, Route
from flaskllm.llm.types import Call, Deployment, EmbeddingRequest

MINI = Deployment("mini", "openai", "openai", "gpt-4o-mini")
LLAMA = Deployment("llama", "box", "ollama", "llama3.1:8b")
SAMPLES = {"openai": Deployment("openai", "openai", "openai", "*")}
ROUTES = (
    Route(alias="fast", weights={"mini": 1}, fallbacks=("local", "offline")),
    Route(alias="local", weights={"llama": 1}),
    Route(alias="slow", weights={"mini": 1}),
    Route(pattern="qwen*", weights={"llama": 1}),
    Route(pattern="qwen-coder*", weights={"mini": 1}),
    Route(capability="code", weights={"llama": 1}),
)
NAMES = (
    "fast",
    "local",
    "slow",
    "qwen2",
    "qwen-coder-7b",
    "capability:code",
    "openai/gpt-4o-mini",
    "openai/other",
    "listed-1",
    "offline",
)


class Listed:
    """An upstream lists one model."""

    def find(self, model, provider=None):
        if model != "listed-1" or provider not in (None, "box"):
            return None
        return replace(LLAMA, name="box/listed-1", model=model)

    def names(self):
        return ("listed-1",)


def catalog(*routes, default_route=None, discovered=None):
    return Catalog(
        routes or ROUTES,
        {"mini": MINI, "llama": LLAMA},
        default_route,
        SAMPLES,
        discovered or Listed(),
    )


CATALOG = catalog()


def only(*entries):
    return Allowed(frozenset(entries))


HELD = {
    "a name as it is": ("fast", {"fast"}, True),
    "another case": ("Fast", {"fast"}, False),
    "what begins so": ("qwen2", {"qwen*"}, True),
    "the beginning itself": ("qwen", {"qwen*"}, True),
    "another beginning": ("gpt-qwen", {"qwen*"}, False),
    "the text of a pattern": ("qwen*", {"qwen*"}, True),
    "a star within a name stands for itself": ("a-c", {"a*c"}, False),
    "a question mark stands for itself": ("ab", {"a?"}, False),
    "brackets stand for themselves": ("a", {"[a]*"}, False),
    "a star alone": ("anything", {"*"}, True),
    "one of several": ("slow", {"fast", "qwen*", "slow"}, True),
    "an empty list": ("fast", set(), False),
}


@pytest.mark.parametrize(("name", "entries", "holds"), HELD.values(), ids=HELD)
def test_a_list_holds_names_and_what_begins_like_an_entry_with_a_star(
    name, entries, holds
):
    assert only(*entries).holds(name) is holds


def test_without_a_list_every_name_may_be_sent():
    assert EVERYTHING.is_everything
    assert EVERYTHING.holds("anything")
    assert EVERYTHING.spelled_out() == ()


def test_entries_without_a_star_are_spelled_out_in_order():
    assert only("b", "qwen*", "a").spelled_out() == ("a", "b")


@pytest.mark.parametrize("name", NAMES)
def test_an_allowed_name_leads_where_it_leads_for_everybody(name):
    everybody = CATALOG.resolve(name, direct=True, with_offline=True)

    found = CATALOG.resolve(name, direct=True, with_offline=True, allowed=only(name))

    assert found == everybody


def told(resolving, name, **options):
    with pytest.raises(APIError) as caught:
        resolving.resolve(name, **options)
    return type(caught.value), caught.value.details, caught.value.fields


@given(
    st.sampled_from([*NAMES, "fats", "openai/x", "nothing/like-it"]),
    st.frozensets(st.sampled_from(("fast", "slow")), min_size=1),
    st.booleans(),
)
def test_what_is_not_allowed_reads_as_if_it_were_not_there(name, allowed, direct):
    """As told by a catalogue that never heard of what is not allowed."""
    if name in allowed:
        return
    bare = tuple(
        replace(route, fallbacks=()) for route in ROUTES if route.name in allowed
    )
    without = replace(catalog(*bare), samples={}, discovered=Nothing())

    hidden = told(CATALOG, name, direct=direct, allowed=Allowed(allowed))

    assert hidden == told(without, name, direct=direct)
    assert hidden[0] is ModelNotFound


class Nothing:
    def find(self, model, provider=None):
        return None

    def names(self):
        return ()


def test_a_pattern_allows_nothing_by_itself():
    with pytest.raises(ModelNotFound):
        CATALOG.resolve("qwen-coder-7b", allowed=only("qwen2"))


DEFAULTS = {
    "the default route where it is allowed": ("slow", {"slow", "fast"}, "slow"),
    "else the first that is, as the settings stand": (
        "slow",
        {"local", "fast"},
        "fast",
    ),
    "the first alias where none is set": (None, {"local", "fast"}, "fast"),
    "else the first that is allowed": (None, {"slow", "local"}, "local"),
    "what begins as allowed": ("fast", {"lo*"}, "local"),
}


@pytest.mark.parametrize("name", [None, "auto"])
@pytest.mark.parametrize(
    ("default", "entries", "alias"), DEFAULTS.values(), ids=DEFAULTS
)
def test_no_name_leads_to_what_is_allowed(name, default, entries, alias):
    shown = catalog(default_route=default)

    assert shown.resolve(name, allowed=only(*entries)).alias == alias
    assert shown.default_alias(only(*entries)) == alias


@pytest.mark.parametrize("with_offline", [False, True])
@pytest.mark.parametrize("name", [None, "auto"])
@pytest.mark.parametrize("default", [None, "fast"])
def test_no_name_is_not_found_where_no_alias_is_allowed(name, default, with_offline):
    shown = catalog(default_route=default)

    kind, details, _ = told(
        shown, name, with_offline=with_offline, allowed=only("qwen2")
    )

    assert (kind, details) == (
        ModelNotFound,
        "model: 'auto' is unknown; allowed: none",
    )


def test_no_name_is_not_found_where_there_are_patterns_only():
    shown = catalog(Route(pattern="qwen*", weights={"llama": 1}))

    kind, details, _ = told(shown, None, allowed=only("qwen*"))

    assert kind is ModelNotFound
    assert details.endswith("'auto' is unknown; allowed: qwen*")


def test_offline_as_the_default_answers_digests_of_everybody():
    shown = catalog(default_route="offline")

    assert shown.resolve(None, with_offline=True, allowed=only("x")) is OFFLINE_ROUTE
    assert shown.resolve(None, allowed=only("slow")).alias == "slow"
    with pytest.raises(ModelNotFound):
        shown.resolve(None, allowed=only("x"))


def test_offline_needs_a_place_on_the_list_when_it_is_named():
    with pytest.raises(ModelNotFound):
        CATALOG.resolve("offline", with_offline=True, allowed=only("fast"))


def test_where_nothing_is_configured_everybody_is_told_so():
    empty = Catalog((), {})

    for name in (None, "fast"):
        with pytest.raises(NoModelConfigured):
            empty.resolve(name, allowed=only("fast"))
    assert empty.resolve(None, with_offline=True, allowed=only("x")) is OFFLINE_ROUTE


class TestRequests:
    """Whoever resolves a name for a request asks with the caller's list."""

    def restricted(self, shown, *aliases):
        return replace(shown.call, aliases=frozenset(aliases))

    def test_a_fallback_needs_no_place_on_the_list(self):
        shown = scene(a=[status(401)], b=[answer()])

        shown.router.complete(REQUEST, self.restricted(shown, "main"))

        assert asked(shown) == ["a", "b"]

    def test_a_digest_falls_back_to_offline(self):
        shown = scene(offline=FakeLocal(), a=[status(400)])

        told = shown.router.complete(DIGEST, self.restricted(shown, "main"))

        assert told.completion.text == "Extracted."

    @pytest.mark.parametrize("way", ["complete", "stream"])
    def test_nobody_is_asked_for_a_name_that_is_not_allowed(self, way):
        shown = scene(a=[answer()], b=[answer()])
        request = replace(REQUEST, model="main")

        with pytest.raises(ModelNotFound):
            getattr(shown.router, way)(request, self.restricted(shown, "b"))

        assert asked(shown) == []

    def test_neither_for_vectors(self):
        shown = scene(a=[], b=[])
        request = EmbeddingRequest("main", ("text",))

        with pytest.raises(ModelNotFound):
            shown.router.embed(request, self.restricted(shown, "b"))
        with pytest.raises(ModelNotFound):
            line_up_embedding(CATALOG, request, lambda _: True, only("fast"))

    def test_nor_to_count_tokens(self):
        request = replace(REQUEST, model="fast")
        call = Call(
            Deadline.after(9.0, FakeClock()),
            None,
            None,
            None,
            None,
            frozenset({"slow"}),
        )

        with pytest.raises(ModelNotFound):
            Counting(CATALOG, {}, {}).count(request, call)
        assert leading(CATALOG, request, only("fast")) is MINI
