"""What one type cannot say: strength, addresses, references, circles."""

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flaskllm.core.config import (
    ConfigError,
    DeploymentSettings,
    ProviderSettings,
    RouteSettings,
    Settings,
    load,
)
from flaskllm.core.config_checks import check
from flaskllm.core.config_strength import weakness


def told(**tree):
    return [(problem.path, problem.found) for problem in check(tree)]


class TestStrength:
    @pytest.mark.parametrize(
        ("value", "found"),
        [
            ("", "only 0 characters"),
            ("k3V9qLz0pXyT7sWb2RfHnJm5cDgA8eU", "only 31 characters"),
            ("changeme" * 5, "a placeholder"),
            ("Change-Me-k3V9qLz0pXyT7sWb2RfHnJm5cDgA8eUi", "a placeholder"),
            ("your-api-token-goes-here-k3V9qLz0pXyT7sWb", "a placeholder"),
            ("<put a good one in>-k3V9qLz0pXyT7sWb2RfHn", "a blank or a letter"),
            ("<put-a-good-one-in>-k3V9qLz0pXyT7sWb2RfHn", "a placeholder"),
            ("${FLASKLLM_SECRET}-k3V9qLz0pXyT7sWb2RfHn", "a placeholder"),
            ("k3V9qLz0pXyT7sWb2RfHnJm5cDgxxxxxx", "a placeholder"),
            ("k3V9qLz0-example-pXyT7sWb2RfHnJm5cDg", "a placeholder"),
            ("secret" * 6, "a placeholder"),
            ("my-super-secret-token-password-1234567890", "a placeholder"),
            ("tokentokentokentokentokentokento", "a placeholder"),
            ("a" * 32, "a repeated pattern"),
            ("aabbccddaabbccddaabbccddaabbccdx", "a repeated pattern"),
            ("k3V9qLz0pXyT7sWb" * 2, "a repeated pattern"),
            ("k3V9qLz0pX" * 3 + "k3", "a repeated pattern"),
            ("abcdefghijklmnopqrstuvwxyz0123456789", "a repeated pattern"),
            ("k3V9qLz0pXyT7sWb2RfHnJm5cDgA8eU\u00e9", "a blank or a letter"),
            ("k3V9qLz0pXyT7sWb2RfHnJm5cDgA8eU\n", "a blank or a letter"),
        ],
    )
    def test_what_was_typed_in_haste_is_refused(self, value, found):
        assert weakness(value).startswith(found)

    @pytest.mark.parametrize("alphabet", [string.hexdigits[:16], string.ascii_letters])
    def test_random_ones_are_good(self, alphabet):
        source = random.Random(7)

        values = ["".join(source.choices(alphabet, k=32)) for _ in range(2000)]

        assert [value for value in values if weakness(value)] == []

    @pytest.mark.parametrize("name", ["secret", "api_token"])
    def test_a_bad_one_stops_the_start_with_the_command_for_a_good_one(
        self, tmp_path, name
    ):
        variable = f"FLASKLLM_{name.upper()}"

        with pytest.raises(ConfigError) as caught:
            load({variable: "changeme-changeme-changeme-changeme"}, tmp_path)

        text = str(caught.value)
        assert f"{name} (environment {variable})" in text
        assert 'python3 -c "import secrets; print(secrets.token_urlsafe(32))"' in text
        assert "changeme" not in text


class TestBaseURL:
    @pytest.mark.parametrize(
        "value",
        [
            "https://api.openai.com/v1",
            "https://llm.example.org:8443",
            "HTTPS://[2001:db8::1]:443/v1/",
            "http://localhost:11434/v1",
            "http://LOCALHOST:11434/v1",
            "http://127.0.0.9:8000",
            "http://[::1]:8000",
            "http://10.0.0.7:8001/v1",
            "http://172.16.9.1",
            "http://192.168.1.2",
            "http://[fd00::1]/v1",
            "http://[::ffff:10.0.0.7]/v1",
        ],
    )
    def test_https_anywhere_and_http_nearby_are_good(self, value):
        Settings(providers={"a": ProviderSettings(kind="vllm", base_url=value)})

    @pytest.mark.parametrize(
        "value",
        [
            "http://api.example.org/v1",
            "http://8.8.8.8",
            "http://172.32.0.1",
            "http://169.254.169.254",
            "http://[fe80::1]",
            "http://[2001:db8::1]",
            "http://127.1",
            "http://0x7f000001",
            "http://2130706433",
            "http://localhost.example.org",
            "http://ollama:11434",
        ],
    )
    def test_http_to_elsewhere_needs_a_word(self, value):
        plain = {"kind": "vllm", "base_url": value}

        assert told(providers={"a": plain}) == [
            (
                "providers.a.base_url",
                "plain http to a host outside loopback and private networks",
            )
        ]
        assert told(providers={"a": {**plain, "allow_plain_http": True}}) == []
        assert told(providers={"a": {**plain, "allow_plain_http": "yes"}}) == []

    @pytest.mark.parametrize(
        ("value", "found"),
        [
            ("", "no address of a web server"),
            ("api.openai.com", "no address of a web server"),
            ("ftp://example.org", "no address of a web server"),
            ("file:///etc/passwd", "no address of a web server"),
            ("https://", "no address of a web server"),
            ("https://:443/v1", "no address of a web server"),
            ("https://user:geheim@example.org", "user information"),
            ("https://geheim@example.org", "user information"),
            ("https://example.org/v1?key=geheim", "query or a fragment"),
            ("https://example.org/v1#", "query or a fragment"),
            ("https://example.org:geheim", "host or port cannot be read"),
            ("https://example.org:99999", "host or port cannot be read"),
            ("https://[geheim", "host or port cannot be read"),
            ("https://example.org\\@geheim", "a backslash"),
            ("https://exam\nple.org", "a blank"),
            (" https://example.org", "a blank"),
            ("https://ex\u0430mple.org", "outside ASCII"),
        ],
    )
    def test_others_are_refused_and_never_shown(self, tmp_path, value, found):
        environ = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": value or " "}

        with pytest.raises(ConfigError) as caught:
            load(environ, tmp_path)

        (problem,) = caught.value.problems
        assert problem.path == "providers.openai.base_url"
        assert found in problem.found or not value
        assert "geheim" not in problem.text()

    @given(st.text(max_size=60))
    def test_no_text_breaks_the_check(self, value):
        for text in (value, f"http://{value}", f"https://a{value}"):
            try:
                provider = ProviderSettings(kind="vllm", base_url=text)
            except ValidationError:
                continue
            assert provider.base_url == text


class TestReferences:
    @pytest.mark.parametrize(
        ("kind", "missing"),
        [
            ("openai", "api_key"),
            ("openai_compatible", "base_url"),
            ("vllm", None),
            ("llamacpp", None),
            ("ollama", None),
            ("extractive", None),
        ],
    )
    def test_a_kind_needs_what_it_needs(self, kind, missing):
        expected = [(f"providers.a.{missing}", "nothing")] if missing else []

        assert told(providers={"a": {"kind": kind}}) == expected

    def test_a_deployment_names_a_provider(self):
        tree = {"providers": {}, "deployments": {"d": {"provider": "p"}}}

        (problem,) = check(tree)

        assert problem.path == "deployments.d.provider"
        assert problem.allowed == "none yet: no provider is configured"

    @pytest.mark.parametrize(
        ("route", "path", "found"),
        [
            ({}, "routes.0", "none of them"),
            ({"alias": "a", "pattern": "b"}, "routes.0", "alias and pattern"),
            ({"alias": "offline"}, "routes.0.alias", "'offline', which is reserved"),
            ({"alias": "auto"}, "routes.0.alias", "'auto', which is reserved"),
            (
                {"alias": "a", "deployments": {"x": 1}},
                "routes.0.deployments.x",
                "'x', which is no deployment",
            ),
            (
                {"alias": "a", "fallbacks": ["b"]},
                "routes.0.fallbacks",
                "'b', which is no alias",
            ),
        ],
    )
    def test_a_route_says_one_thing_and_names_what_there_is(self, route, path, found):
        assert told(routes=[route]) == [(path, found)]

    def test_a_fallback_that_is_a_deployment_is_told_so(self):
        routes = [{"alias": "fast", "deployments": {"mini": 1}, "fallbacks": ["mini"]}]
        deployments = {"mini": {}}

        (problem,) = check({"deployments": deployments, "routes": routes})

        assert problem.path == "routes.0.fallbacks"
        assert problem.found == "'mini', which is a deployment"
        assert problem.allowed == "an alias (fast, offline): write a route for it"

    def test_a_default_route_that_is_a_deployment_is_told_so(self):
        tree = {"deployments": {"mini": {}}, "default_route": "mini"}

        assert told(**tree) == [("default_route", "'mini', which is a deployment")]

    def test_an_alias_may_bear_the_name_of_a_deployment(self):
        routes = [{"alias": "mini", "deployments": {"mini": 1}}]
        tree = {"deployments": {"mini": {}}, "routes": routes, "default_route": "mini"}

        assert told(**tree) == []

    def test_names_of_the_wrong_type_are_left_to_the_types(self):
        routes = [{"alias": "a", "fallbacks": [5]}, {"alias": 5}]

        assert told(deployments={"d": {"provider": 5}}, routes=routes) == []
        assert told(providers={"p": {"kind": ["openai"]}}) == []

    @pytest.mark.parametrize("kind", ["alias", "pattern", "capability"])
    def test_two_routes_never_answer_to_the_same(self, kind):
        found = told(routes=[{kind: "a"}, {kind: "b"}, {kind: "a"}])

        assert found == [(f"routes.2.{kind}", "'a', which a route above has")]

    @pytest.mark.parametrize("name", ["offline", "fast"])
    def test_the_default_route_is_an_alias_or_offline(self, name):
        assert told(routes=[{"alias": "fast"}], default_route=name) == []

    def test_another_default_route_is_refused(self):
        routes = [{"pattern": "slow"}]

        assert told(routes=routes, default_route="slow") == [
            ("default_route", "'slow', which is no alias")
        ]

    @pytest.mark.parametrize(
        ("fallbacks", "circles"),
        [
            ({"a": ["a"]}, ["a -> a"]),
            ({"a": ["b"], "b": ["c"], "c": ["a"]}, ["a -> b -> c -> a"]),
            ({"a": ["b"], "b": ["c"], "c": ["b"]}, ["b -> c -> b"]),
            ({"a": ["b"], "b": ["a"], "c": ["c"]}, ["a -> b -> a", "c -> c"]),
            ({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": ["offline"]}, []),
        ],
    )
    def test_fallbacks_never_lead_in_a_circle(self, fallbacks, circles):
        routes = [
            {"alias": alias, "fallbacks": names} for alias, names in fallbacks.items()
        ]

        assert [found for _, found in told(routes=routes)] == [
            f"a circle: {circle}" for circle in circles
        ]

    def test_a_deployment_is_not_named_as_the_built_in_one(self):
        tree = {"providers": {"p": {}}, "deployments": {"offline": {"provider": "p"}}}

        assert told(**tree) == [("deployments.offline", "'offline', which is reserved")]

    def test_good_settings_pass(self):
        settings = Settings(
            providers={"p": ProviderSettings(kind="ollama")},
            deployments={"d": DeploymentSettings(provider="p", model="m")},
            routes=(
                RouteSettings(alias="a", deployments={"d": 1}, fallbacks=("b",)),
                RouteSettings(alias="b", deployments={"d": 2}, fallbacks=("offline",)),
            ),
            default_route="a",
        )

        assert settings.routes[0].strategy == "weighted"

    plain = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["alias", "kind", "provider", "fallbacks", "x"]),
                inner,
                max_size=3,
            )
        ),
        max_leaves=8,
    )

    @given(
        st.dictionaries(
            st.sampled_from(["providers", "deployments", "routes", "default_route"]),
            plain,
        )
    )
    def test_no_tree_breaks_the_check(self, tree):
        for problem in check(tree):
            assert problem.text()
