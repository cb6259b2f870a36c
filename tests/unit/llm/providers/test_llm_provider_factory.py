import pytest
from fakes import FakeClock

from flaskllm.llm.providers import LocalProvider, build_provider
from flaskllm.llm.providers.compatible import DIALECTS, check_api_key, resolve_base_url
from flaskllm.llm.types import CompletionRequest, Deployment, Message


def url(provider):
    """Return where the provider sends a request."""
    deployment = Deployment("a", "p", "k", "m")
    return provider.encode(
        CompletionRequest(None, (Message("user", "x"),)), deployment
    ).url


DEFAULTS = {
    "openai": "https://api.openai.com/v1/chat/completions",
    "vllm": "http://127.0.0.1:8000/v1/chat/completions",
    "llamacpp": "http://127.0.0.1:8080/v1/chat/completions",
    "ollama": "http://127.0.0.1:11434/v1/chat/completions",
}


@pytest.mark.parametrize(("kind", "expected"), DEFAULTS.items(), ids=DEFAULTS)
def test_a_kind_has_its_usual_address(kind, expected):
    assert url(build_provider(kind, None, "sk-fake", FakeClock())) == expected


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
    "version added for ollama": ("ollama", "http://x.test", "http://x.test/v1"),
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

    known = "openai, openai_compatible, vllm, llamacpp, ollama, extractive"
    assert known in str(caught.value)


@pytest.mark.parametrize("empty", [None, ""])
def test_openai_needs_a_credential(empty):
    with pytest.raises(ValueError, match="needs an api_key"):
        build_provider("openai", None, empty, FakeClock())


@pytest.mark.parametrize("kind", sorted(DIALECTS.keys() - {"openai"}))
def test_the_others_may_go_without_a_credential(kind):
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
