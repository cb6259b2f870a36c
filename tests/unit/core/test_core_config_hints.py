"""What settings say but seldom mean: a warning for each."""

import pytest

from flaskllm.core.config import load
from flaskllm.core.config_hints import find_hints

HEAD = """\
providers:
  box: {kind: openai_compatible, base_url: "http://127.0.0.1:9/v1"}
  none: {kind: extractive}
"""
UPSTREAM = f"{HEAD}deployments:\n  small: {{provider: box, model: m}}\n"
TAGGED = UPSTREAM.replace("model: m", "model: m, tags: [local]")
EXTRACTIVE = UPSTREAM.replace("provider: box", "provider: none")
ROUTE = "routes:\n  - {alias: fast, deployments: {small: 1}}\n"
LOCAL_ROUTE = ROUTE.replace("fast,", "fast, on_sensitive: local,")
PRIVACY = "privacy: {on_sensitive: local}\n"


@pytest.fixture
def hints(tmp_path):
    """Return a function that gives the paths of what settings seldom mean."""

    def hints(text):
        (tmp_path / "flaskllm.yaml").write_text(text, encoding="utf-8")
        return list(find_hints(load({}, tmp_path).settings))

    return hints


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        (UPSTREAM + ROUTE + PRIVACY, ["privacy.on_sensitive"]),
        (UPSTREAM + LOCAL_ROUTE, ["routes.0.on_sensitive"]),
        (UPSTREAM + LOCAL_ROUTE + PRIVACY,
         ["privacy.on_sensitive", "routes.0.on_sensitive"]),
    ],
)  # fmt: skip
def test_each_place_that_keeps_text_where_nobody_may_have_it_is_told(
    hints, text, paths
):
    found = hints(text)

    assert [hint.path for hint in found] == paths
    for hint in found:
        assert hint.is_warning
        assert "no deployment is tagged local" in hint.found
        assert hint.check == "capabilities"


@pytest.mark.parametrize(
    "text",
    [
        UPSTREAM + ROUTE,
        TAGGED + LOCAL_ROUTE + PRIVACY,
        EXTRACTIVE + LOCAL_ROUTE + PRIVACY,
        PRIVACY,
    ],
    ids=["not asked for", "tagged", "extractive", "nobody but offline"],
)
def test_nothing_is_told_where_such_text_has_where_to_go(hints, text):
    assert hints(text) == []


OFFLINE_ROUTE = ROUTE.replace("}}", "}, fallbacks: [offline]}")
FAR_ROUTES = (
    ROUTE.replace("}}", "}, fallbacks: [next]}")
    + "  - {alias: next, deployments: {small: 1}, fallbacks: [offline, fast2]}\n"
    "  - {alias: fast2, deployments: {small: 1}}\n"
)
MAIL = """\
secret: wN3xT7vQk2LmR9pZs5YhB8dFgJ4cVaXe
inbound:
  mail:
    {sender: generic, secret: aVeryLongSecretOfOurs, digest: {on_sensitive: local%s}}
"""
MAIL_PATH = "inbound.mail.digest.on_sensitive"


@pytest.mark.parametrize(
    ("text", "path", "outcome"),
    [
        (PRIVACY + ROUTE, "privacy.on_sensitive", "what matches is refused"),
        (PRIVACY + OFFLINE_ROUTE, "privacy.on_sensitive",
         "a digest that matches is answered by offline, without a model, any other "
         "request is refused"),
        (PRIVACY + FAR_ROUTES, "privacy.on_sensitive",
         "a digest that matches is answered by offline, without a model, where that "
         "is a fallback of its route; everything else is refused"),
        (PRIVACY + ROUTE + "default_route: offline\n", "privacy.on_sensitive",
         "a digest that matches is answered by offline, without a model, where that "
         "is a fallback of its route; everything else is refused"),
        (OFFLINE_ROUTE.replace("fast,", "fast, on_sensitive: local,"),
         "routes.0.on_sensitive",
         "a digest that matches is answered by offline, without a model, any other "
         "request is refused"),
        (ROUTE + MAIL % "", MAIL_PATH, "what matches is refused"),
        (FAR_ROUTES + MAIL % "", MAIL_PATH,
         "what matches is answered by offline, without a model"),
        (FAR_ROUTES + MAIL % ", model: fast2", MAIL_PATH, "what matches is refused"),
        (FAR_ROUTES + "default_route: fast2\n" + MAIL % ", model: auto", MAIL_PATH,
         "what matches is refused"),
        (ROUTE + "default_route: offline\n" + MAIL % "", MAIL_PATH,
         "what matches is answered by offline, without a model"),
        (ROUTE + MAIL % ", model: 'capability:json'", MAIL_PATH,
         "what matches is answered by offline, without a model, where that is a "
         "fallback of its route, and refused otherwise"),
    ],
)  # fmt: skip
def test_it_is_told_what_becomes_of_such_text(hints, text, path, outcome):
    (hint,) = hints(UPSTREAM + text)

    assert hint.path == path
    assert hint.found == f"local, but no deployment is tagged local: {outcome}"


@pytest.mark.parametrize("text", [UPSTREAM, TAGGED], ids=["offline", "tagged"])
def test_an_inbound_endpoint_whose_model_is_local_is_not_told(hints, text):
    model = ", model: offline" if text == UPSTREAM else ""

    assert hints(text + ROUTE + MAIL % model) == []


MEMORY = UPSTREAM + "cache: {store: memory}\n"
MANY = MEMORY + "server: {workers: 3}\n"
KEPT = ROUTE.replace("fast,", "fast, cache_ttl_seconds: 60,")
FLOWN = ROUTE.replace("fast,", "fast, single_flight: true,")


@pytest.mark.parametrize("text", [MANY + KEPT, MANY + FLOWN])
def test_answers_in_the_memory_of_each_of_several_processes_are_told(hints, text):
    (hint,) = hints(text)

    assert (hint.path, hint.check, hint.is_warning) == ("cache.store", "routes", True)
    assert "3 worker processes" in hint.found


@pytest.mark.parametrize(
    "text", [MANY + ROUTE, MEMORY + KEPT, UPSTREAM + "server: {workers: 3}\n" + KEPT]
)
def test_in_one_process_or_without_answers_they_are_not(hints, text):
    assert hints(text) == []
