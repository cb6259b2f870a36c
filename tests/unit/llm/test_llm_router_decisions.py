"""Each attempt says in a few words why it was that deployment's turn."""

from router_scene import answer, scene, status

from flaskllm.core.errors import LLMTimeout
from flaskllm.llm.catalog import Catalog, Route

DOWN = status(503)


def decisions(shown):
    return [attempt.decision for attempt in shown.begun]


def test_a_request_with_nothing_to_decide_names_its_route_and_deployment():
    shown = scene(a=[answer()])

    shown.complete()

    assert decisions(shown) == ["main: a"]


def test_every_further_attempt_says_why():
    shown = scene(
        a=[status(500), DOWN], b=[LLMTimeout()], c=[status(401)], d=[answer()]
    )

    shown.complete()

    assert decisions(shown) == [
        "main: a",
        "retry after LLM_SERVER_ERROR",
        "fallback b after LLM_UNAVAILABLE: b",
        "fallback c after LLM_TIMEOUT: c",
        "fallback d after LLM_CREDENTIAL_REJECTED: d",
    ]


def test_the_shares_of_a_route_are_told():
    shown = scene(a=[DOWN, answer()], b=[DOWN, answer()], c=[])
    shown.health.override({"c": "open"})
    route = Route(alias="main", weights={"a": 3, "b": 1, "c": 1})
    shown.router._catalog = Catalog((route,), shown.router._catalog.deployments)

    shown.complete()

    first = shown.begun[0].decision
    assert first.startswith("main weighted: ")
    assert "a 0.75" in first
    assert "b 0.25" in first
    assert first.endswith("; skipped c (taken out by an operator)")
    assert decisions(shown)[1].startswith("next after LLM_UNAVAILABLE: ")
