"""Reading a URL that somebody else wrote."""

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from urllib3.util import parse_url

from flaskllm.net.destinations import Destinations
from flaskllm.net.egress import EgressRefused, EgressRules, Refusal
from flaskllm.net.egress_url import parse

GOOD = {
    "https://hooks.example": "https://hooks.example/",
    "https://hooks.example?a=1": "https://hooks.example/?a=1",
    "HTTPS://Hooks.EXAMPLE/Path": "https://hooks.example/Path",
    "https://hooks.example:443/": "https://hooks.example/",
    "http://hooks.example:443/": "http://hooks.example:443/",
    "https://hooks.example:8443/x": "https://hooks.example:8443/x",
    "https://a-b.c1.example/%2F/../;x=1,2/@b:c?q=%20&r=/?'()*!$~": None,
    "https://xn--bcher-kva.example/": None,
    "https://1.hooks.4u/": None,
    "https://93.184.215.14/": None,
    "https://[2606:2800:0:0::1]:8443/": "https://[2606:2800::1]:8443/",
    "https://hooks.example//a//b": None,
}
# Each reason, with what a person reads.
BAD = {
    "https://hooks.example/" + "a" * 2048: (Refusal.TOO_LONG, "2048 characters"),
    "https://hooks.example/a b": (Refusal.CHARACTERS, "percent-encoded"),
    "https://hooks.example/[a]": (Refusal.CHARACTERS, "percent-encoded"),
    "hooks.example/x": (Refusal.MALFORMED, "https://host/path"),
    "ftp://hooks.example/": (Refusal.SCHEME, "https"),
    "http://hooks.example/": (Refusal.SCHEME, "https"),
    "https://me:word@hooks.example/": (Refusal.USER_INFO, "the path or the query"),
    "https://127.1/": (Refusal.HOST, "four decimal numbers"),
    "https://hooks.example./": (Refusal.HOST, "without a dot at its end"),
    "https://[fe80::1%25eth0]/": (Refusal.HOST, "without a zone"),
    "https://bücher.example/": (Refusal.HOST_NOT_ASCII, "xn--"),
    "https://hooks.example:22/": (Refusal.PORT, "443, 8443"),
    "https://hooks.example:0443/": (Refusal.PORT, "a port that is allowed"),
    "https://hooks.example:99999/": (Refusal.PORT, "a port that is allowed"),
    "https://hooks.example/#x": (Refusal.FRAGMENT, "no #"),
    "https://localhost/": (Refusal.BLOCKED, "callbacks.allowed_networks"),
    "https://10.1.2.3/": (Refusal.BLOCKED, "callbacks.allowed_networks"),
}
RULES = EgressRules(Destinations(), (443, 8443))
LENIENT = EgressRules(
    Destinations(["0.0.0.0/0", "::/0"]), range(1, 65536), allow_http=True
)


@pytest.mark.parametrize(("text", "made"), GOOD.items(), ids=GOOD)
def test_a_good_url_is_made_anew_from_its_parts(text, made):
    assert parse(text).text == (made or text)


@pytest.mark.parametrize(("text", "told"), BAD.items(), ids=lambda text: str(text)[:40])
def test_a_bad_url_is_refused_with_a_word_and_the_mend(text, told):
    reason, mend = told

    with pytest.raises(EgressRefused) as caught:
        RULES.read(text)

    assert caught.value.reason is reason
    assert mend in caught.value.allowed
    assert caught.value.problem in str(caught.value)
    assert "hooks" not in str(caught.value)


def test_http_is_for_those_who_allow_it():
    rules = EgressRules(Destinations(), (80,), allow_http=True)

    assert rules.read("http://hooks.example/").port == 80


def test_the_text_form_of_the_parts_holds_no_path_and_no_query():
    assert "secret" not in repr(parse("https://hooks.example/secret?secret=1"))


_PIECES = st.lists(
    st.sampled_from(
        [
            *"aZ09-._~:/?#[]@!$&'()*+,;=%\\ \t\né０",
            *("http://", "https://", "127.0.0.1", "%2e", "[::1]", "localhost"),
            *("a.example", "xn--a", "::ffff:1.2.3.4", ":443", "0x7f.1"),
        ]
    ),
    max_size=12,
).map("".join)
_TEXTS = st.builds("{}{}{}".format, st.sampled_from(["https://", ""]), _PIECES, _PIECES)


@given(_TEXTS | st.text(max_size=40).map("https://a.example".__add__))
@example("https://[::ffff:1.2.3.4]:81/")
@example("http://a.example:443?@b.example:1/")
@example("https://a.example/..//@b.example/%5C@c")
def test_every_reader_finds_the_same_host_and_port_in_what_was_let_through(text):
    try:
        called = LENIENT.read(text)
    except EgressRefused:
        return

    split, parsed = urlsplit(called.text), parse_url(called.text)
    usual = {"http": 80, "https": 443}[called.scheme]
    assert split.hostname == called.host
    assert parsed.host == called.bracketed_host
    assert (split.port or usual) == (parsed.port or usual) == called.port
    assert split.scheme == parsed.scheme == called.scheme
    assert split.username is parsed.auth is None
    assert not split.fragment
    assert parse(called.text) == called
