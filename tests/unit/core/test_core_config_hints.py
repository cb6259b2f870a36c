"""What stays local needs somebody who is local: a warning where nobody is."""

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
