import pytest
from fakes import FakeClock

from flaskllm.core.config_kinds import KINDS as KNOWN_TO_SETTINGS
from flaskllm.llm.parts import Message
from flaskllm.llm.providers import KINDS, Lister, LocalProvider, build_provider
from flaskllm.llm.providers.compatible import DIALECTS, check_api_key, resolve_base_url
from flaskllm.llm.types import CompletionRequest, Deployment


def url(provider):
    """Return where the provider sends a request."""
    deployment = Deployment("a", "p", "k", "m")
    return provider.encode(
        CompletionRequest(None, (Message("user", "x"),)), deployment
    ).url


DEFAULTS = {
    "openai": "https://api.openai.com/v1",
    "vllm": "http://127.0.0.1:8000/v1",
    "llamacpp": "http://127.0.0.1:8080/v1",
    "groq": "https://api.groq.com/openai/v1",
    "mistral": "https://api.mistral.ai/v1",
    "deepseek": "https://api.deepseek.com/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "together": "https://api.together.xyz/v1",
    "huggingface": "https://router.huggingface.co/v1",
    "xai": "https://api.x.ai/v1",
    "fireworks": "https://api.fireworks.ai/inference/v1",
    "perplexity": "https://api.perplexity.ai",
    "cerebras": "https://api.cerebras.ai/v1",
    "nvidia": "https://integrate.api.nvidia.com/v1",
    "sambanova": "https://api.sambanova.ai/v1",
    "moonshot": "https://api.moonshot.ai/v1",
    "zai": "https://api.z.ai/api/paas/v4",
}


@pytest.mark.parametrize(("kind", "expected"), DEFAULTS.items(), ids=DEFAULTS)
def test_a_kind_has_its_usual_address(kind, expected):
    provider = build_provider(kind, None, "sk-fake", FakeClock())

    assert url(provider) == f"{expected}/chat/completions"


def test_the_settings_know_the_same_kinds():
    assert set(KNOWN_TO_SETTINGS) == set(KINDS)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_settings_ask_for_what_a_kind_needs(kind):
    needs = KNOWN_TO_SETTINGS[kind].needs
    given = {"base_url": "https://upstream.test", "api_key": "sk-fake"}

    build_provider(
        kind,
        clock=FakeClock(),
        **{"base_url": None, "api_key": None} | {name: given[name] for name in needs},
    )
    for name in needs:
        with pytest.raises(ValueError, match=name):
            build_provider(kind, clock=FakeClock(), **given | {name: None})


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_settings_know_which_kinds_list_their_models(kind):
    provider = build_provider(kind, "https://x.test", "sk-fake", FakeClock())

    assert isinstance(provider, Lister) == KNOWN_TO_SETTINGS[kind].lists_models


@pytest.mark.parametrize("kind", ["perplexity", "azure"])
def test_a_service_that_lists_nothing_callable_is_no_lister(kind):
    assert not KNOWN_TO_SETTINGS[kind].lists_models


BASE_URLS = {
    "as given": (
        "openai",
        "https://eu.api.openai.com/v1",
        "https://eu.api.openai.com/v1",
    ),
    "slash at the end": ("openai", "https://x.test/v1/", "https://x.test/v1"),
    "space around": ("vllm", " http://x.test/v1\n", "http://x.test/v1"),
    "version added for vllm": (
        "vllm",
        "http://10.0.0.7:8001",
        "http://10.0.0.7:8001/v1",
    ),
    "version added for llamacpp": ("llamacpp", "http://x.test/", "http://x.test/v1"),
    "version added after a path": ("vllm", "http://x.test/llm", "http://x.test/llm/v1"),
    "version not added twice": ("vllm", "http://x.test/llm/v1", "http://x.test/llm/v1"),
    "compatible is left alone": (
        "openai_compatible",
        "https://x.test/v1beta/openai",
        "https://x.test/v1beta/openai",
    ),
}


@pytest.mark.parametrize(
    ("kind", "given", "expected"), BASE_URLS.values(), ids=BASE_URLS
)
def test_the_base_url_is_taken_as_an_sdk_would_take_it(kind, given, expected):
    assert resolve_base_url(kind, given) == expected


BAD_URLS = {
    "missing": (None, "needs a base_url"),
    "no scheme": ("x.test/v1", "http://"),
    "other scheme": ("ftp://x.test/v1", "http://"),
    "no host": ("https:///v1", "name a host"),
    "bad port": ("http://x.test:99999/v1", "not an address"),
    "bad bracket": ("http://[::1/v1", "not an address"),
    "password": ("https://me:hunter2@x.test/v1", "api_key"),
    "query": ("https://x.test/v1?key=hunter2", "query"),
    "fragment": ("https://x.test/v1#hunter2", "fragment"),
}


@pytest.mark.parametrize(("given", "words"), BAD_URLS.values(), ids=BAD_URLS)
def test_a_base_url_that_cannot_be_used_is_refused_without_repeating_it(given, words):
    with pytest.raises(ValueError, match=words) as caught:
        build_provider("openai_compatible", given, None, FakeClock())

    assert "hunter2" not in str(caught.value)


def test_an_unknown_kind_is_refused_with_those_that_are_known():
    with pytest.raises(ValueError, match="'watson' is unknown") as caught:
        build_provider("watson", None, None, FakeClock())

    assert ", ".join(KINDS) in str(caught.value)


@pytest.mark.parametrize("empty", [None, ""])
def test_openai_needs_a_credential(empty):
    with pytest.raises(ValueError, match="needs an api_key"):
        build_provider("openai", None, empty, FakeClock())


@pytest.mark.parametrize("kind", ["openai_compatible", "vllm", "llamacpp"])
def test_what_one_runs_oneself_may_go_without_a_credential(kind):
    assert not DIALECTS[kind].needs_api_key
    assert check_api_key(kind, None) is None


@pytest.mark.parametrize("bad", ["sk fake", "sk-fake\n", "sk-fäke", "sk\x00"], ids=repr)
def test_a_credential_that_no_header_can_hold_is_refused_without_repeating_it(bad):
    with pytest.raises(ValueError, match="api_key holds") as caught:
        build_provider("openai", None, bad, FakeClock())

    assert bad not in str(caught.value)


def test_a_provider_does_not_show_its_credential():
    provider = build_provider("openai", None, "sk-very-secret", FakeClock())

    assert "sk-very-secret" not in repr(provider)


def test_extractive_answers_by_itself():
    provider = build_provider("extractive", None, None, FakeClock())

    assert isinstance(provider, LocalProvider)


def test_a_translator_does_not_pass_for_one_that_answers_by_itself():
    assert not isinstance(
        build_provider("vllm", None, None, FakeClock()), LocalProvider
    )
