"""Routes that no request can take, and capabilities that nobody has, are refused."""

import itertools
import re
from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flaskllm.core.config import ConfigError, load
from flaskllm.core.config_checks import check
from flaskllm.core.config_reach import _covers

FILE = """
providers: {p: {kind: ollama}}
deployments:
  d: {provider: p, model: m, capabilities: [json, tools]}
routes:
  - {alias: fast, deployments: {d: 1}}
  - {pattern: fast, deployments: {d: 1}}
  - {pattern: "q*", deployments: {d: 1}}
  - {pattern: "q?*", deployments: {d: 1}}
  - {capability: tolls, deployments: {d: 1}}
"""


def told(routes, **deployments):
    return [
        (each.path, each.found, each.check)
        for each in check({"routes": routes, "deployments": deployments})
    ]


def words(alphabet, longest):
    return (
        "".join(word)
        for length in range(longest + 1)
        for word in itertools.product(alphabet, repeat=length)
    )


class TestPatterns:
    @pytest.mark.parametrize(
        ("wide", "narrow"),
        [("a*", "a**"), ("a*", "a?"), ("*a", "?*a"), ("a*b*", "a?b"), ("*?", "?*")],
    )
    def test_one_below_a_wider_one_with_the_same_letters_never_fires(
        self, wide, narrow
    ):
        assert told([{"pattern": wide}, {"pattern": narrow}]) == [
            (
                "routes.1.pattern",
                f"{narrow!r}: the pattern {wide!r} of routes.0 comes before it",
                "reach",
            )
        ]

    @pytest.mark.parametrize(
        ("above", "below"),
        [
            ("*", "gpt-*"),  # more letters go first
            ("a?", "a*"),
            ("a?", "a??"),
            ("*a", "a*"),
            ("a?*", "a*"),
            ("[ab]*", "[ab]?"),  # a set of letters is compared with nothing
        ],
    )
    def test_one_that_has_names_of_its_own_is_good(self, above, below):
        assert told([{"pattern": above}, {"pattern": below}]) == []

    patterns = st.text(alphabet="ab*?", max_size=5)

    @settings(deadline=None)  # a thousand names each
    @given(patterns, patterns)
    def test_the_wider_one_has_all_names_of_the_other_and_its_letters(
        self, wide, narrow
    ):
        """Compared with all names of up to six letters, one of them in neither."""
        names = [each for each in words("abz", 6) if fnmatchcase(each, narrow)]
        has_all = all(fnmatchcase(name, wide) for name in names)
        is_alike = re.sub(r"[*?]", "", wide) == re.sub(r"[*?]", "", narrow)

        assert _covers(wide, narrow) == (has_all and is_alike)

    def test_one_without_a_wildcard_that_an_alias_has_never_fires(self):
        routes = [{"pattern": "fast"}, {"alias": "fast"}, {"pattern": "fast*"}]

        assert told(routes) == [
            (
                "routes.0.pattern",
                "'fast': the alias 'fast' of routes.1 comes before it",
                "reach",
            )
        ]

    def test_auto_is_no_name_for_a_pattern(self):
        (found,) = told([{"pattern": "auto"}])

        assert found[0] == "routes.0.pattern"

    def test_two_alike_are_duplicates_and_told_once(self):
        assert [each[2] for each in told([{"pattern": "q*"}, {"pattern": "q*"}])] == [
            "duplicates"
        ]


class TestCapabilities:
    @pytest.mark.parametrize(
        ("selector", "name"),
        [
            ("alias", "capability:json"),
            ("pattern", "*"),
            ("pattern", "cap*json"),
        ],
    )
    def test_an_alias_or_a_pattern_may_take_its_name(self, selector, name):
        routes = [{"capability": "json"}, {selector: name}]

        assert told(routes) == [
            (
                "routes.0.capability",
                f"'json': the {selector} {name!r} of routes.1 comes before it",
                "reach",
            )
        ]

    @pytest.mark.parametrize(
        ("listed", "is_good"),
        [
            ({"a": ["json"], "b": ["tools"]}, False),
            ({"a": ["json"], "b": []}, False),
            ({"a": ["json"], "b": ["vision"]}, True),
            ({"a": ["json"], "b": None}, True),  # unknown is allowed
        ],
    )
    def test_a_deployment_of_the_route_must_list_it_or_nothing(self, listed, is_good):
        deployments = {
            name: {"capabilities": each} if each is not None else {}
            for name, each in listed.items()
        }
        for each in deployments.values():
            each["provider"] = None
        routes = [{"capability": "vision", "deployments": {"a": 1, "b": 1}}]

        found = told(routes, **deployments)

        assert found == (
            []
            if is_good
            else [
                (
                    "routes.0.capability",
                    "'vision', which none of its deployments lists",
                    "capabilities",
                )
            ]
        )

    def test_what_they_list_and_the_nearest_of_it_is_told(self):
        deployments = {"d": {"capabilities": ["tools", "json"]}}
        routes = [{"capability": "tolls", "deployments": {"d": 1}}]

        (problem,) = check({"routes": routes, "deployments": deployments})

        assert (problem.allowed, problem.nearest) == ("json, tools", "tools")

    def test_lists_that_are_empty_are_told_so(self):
        deployments = {"d": {"capabilities": []}}
        routes = [{"capability": "json", "deployments": {"d": 1}}]

        (problem,) = check({"routes": routes, "deployments": deployments})

        assert problem.allowed == "none: their lists are empty"


def test_the_start_is_refused_and_each_is_told_with_its_line(tmp_path):
    (tmp_path / "flaskllm.yaml").write_text(FILE)

    with pytest.raises(ConfigError) as caught:
        load({}, tmp_path)

    assert [(each.origin, each.path) for each in caught.value.problems] == [
        ("flaskllm.yaml:7", "routes.1.pattern"),
        ("flaskllm.yaml:9", "routes.3.pattern"),
        ("flaskllm.yaml:10", "routes.4.capability"),
    ]
