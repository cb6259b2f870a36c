"""The form of API tokens, their digest, and what they allow."""

import re
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flaskllm.core.auth import (
    BOOTSTRAP,
    MAXIMUM_CHARACTERS,
    TOKEN_PATTERN,
    BootstrapToken,
    NewToken,
    ParsedToken,
    Principal,
    Scope,
    is_token_id,
    make_token,
    parse_token,
    same_digest,
    token_digest,
)
from flaskllm.core.ids import BASE62


def with_good_check(body):
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, rest = divmod(number, 62)
        digits = BASE62[rest] + digits
    return body + digits


GOOD = with_good_check("fllm_api_" + "0123456789abcdefghijKLMNOPQRSTUVWXYZ01234567")


def test_a_new_token_has_the_documented_form():
    token = make_token("api")

    assert re.fullmatch(r"fllm_api_[0-9A-Za-z]{50}", token.text)
    assert token.text[len("fllm_api_") :][:12] == token.id
    assert token.text == with_good_check(token.text[:-6])


def test_the_check_is_crc32_in_base62_with_six_places():
    body = "fllm_api_" + "0" * 44

    assert zlib.crc32(body.encode()) == 1533572582
    assert parse_token(body + "1fmiHe") == ParsedToken("api", "0" * 12)


def test_a_token_is_parsed_into_its_kind_and_id():
    token = make_token("inbound")

    assert parse_token(token.text) == ParsedToken("inbound", token.id)


def test_two_tokens_share_neither_id_nor_secret():
    one, other = make_token("api"), make_token("api")

    assert one.id != other.id
    assert one.text[21:53] != other.text[21:53]


def test_the_text_of_a_new_token_does_not_show_in_its_repr():
    token = make_token("api")

    assert token.text not in repr(token)
    assert repr(token) == f"NewToken(id='{token.id}')"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("' OR 1=1--", id="sql"),
        pytest.param("x' UNION SELECT name FROM api_tokens", id="sql-union"),
        pytest.param("\0", id="nul"),
        pytest.param(GOOD + "\0", id="nul-behind"),
        pytest.param(GOOD + "\n", id="line-feed-behind"),
        pytest.param(" " + GOOD, id="space-before"),
        pytest.param("A" * 65536, id="64-kB"),
        pytest.param(GOOD * 1000, id="many-good-ones"),
        pytest.param("fllm_api_" + "é" * 50, id="non-ascii"),
        pytest.param("fllm_api_" + "٣" * 50, id="other-digits"),
        pytest.param("\ud800" * 59, id="lone-surrogates"),
        pytest.param(GOOD[:-1], id="one-short"),
        pytest.param(GOOD + "0", id="one-long"),
        pytest.param(GOOD.upper(), id="upper-case"),
        pytest.param(with_good_check("fllm_API_" + "0" * 44), id="upper-case-kind"),
        pytest.param(with_good_check("fllm__" + "0" * 44), id="no-kind"),
        pytest.param(with_good_check("fllm_api_" + "0" * 43), id="short-secret"),
        pytest.param(with_good_check("gllm_api_" + "0" * 44), id="other-prefix"),
    ],
)
def test_a_malformed_token_is_none(text):
    assert parse_token(text) is None


@settings(deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.sampled_from(BASE62))
def test_any_single_wrong_character_is_noticed(position, character):
    changed = GOOD[:position] + character + GOOD[position + 1 :]

    assert (parse_token(changed) is None) == (changed != GOOD)


@settings(deadline=None)
@given(st.text() | st.text(BASE62 + "_", max_size=50).map("fllm_api_".__add__))
def test_no_text_makes_the_parser_raise(text):
    parsed = parse_token(text)

    assert parsed is None or text.startswith(f"fllm_{parsed.kind}_{parsed.id}")


class Huge(str):
    """A good text that claims to be long: whoever reads it first finds it good."""

    def __len__(self):
        return 64 * 1024


def test_a_huge_text_is_refused_before_it_is_read():
    assert parse_token(GOOD) is not None
    assert parse_token(Huge(GOOD)) is None
    assert BootstrapToken(GOOD).principal_for(Huge(GOOD)) is None


def test_the_pattern_finds_tokens_inside_other_text():
    text = f'{{"token": "{GOOD}"}} and x{GOOD}y'

    assert [match[0] for match in TOKEN_PATTERN.finditer(text)] == [GOOD, GOOD]


def test_the_digest_is_hmac_sha_256():
    # RFC 4231, test case 2.
    digest = token_digest(b"Jefe", "what do ya want for nothing?")

    assert digest.hex() == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_the_digest_depends_on_key_and_text():
    digests = {token_digest(k, t) for k in (b"a", b"b") for t in ("x", "y")}

    assert len(digests) == 4


def test_a_text_that_is_not_unicode_has_a_digest_too():
    assert len(token_digest(b"key", "\ud800")) == 32


def test_digests_are_the_same_only_when_all_bytes_are():
    assert same_digest(b"a" * 32, b"a" * 32)
    assert not same_digest(b"a" * 32, b"a" * 31 + b"b")
    assert not same_digest(b"a" * 32, b"a" * 31)


@pytest.mark.parametrize(
    ("held", "wanted", "allowed"),
    [
        ({Scope.CHAT}, {Scope.CHAT}, True),
        ({Scope.CHAT}, {Scope.WEBHOOK}, False),
        ({Scope.CHAT}, {Scope.WEBHOOK, Scope.CHAT}, True),
        ({Scope.ADMIN}, {Scope.WEBHOOK}, True),
        ({Scope.ADMIN}, set(), True),
        ({Scope.READ}, {Scope.ADMIN}, False),
        ({Scope.READ}, set(), False),
        (set(), {Scope.READ}, False),
    ],
)
def test_one_of_the_scopes_is_enough_and_admin_holds_all(held, wanted, allowed):
    principal = Principal("id", "name", frozenset(held), "api")

    assert principal.may(*wanted) is allowed


def test_the_bootstrap_token_opens_everything():
    text = "correct-horse-battery-staple-0123456789"

    principal = BootstrapToken(text).principal_for(text)

    assert principal is BOOTSTRAP
    assert principal.id == "bootstrap"
    assert all(principal.may(scope) for scope in Scope)


@pytest.mark.parametrize(
    "text",
    ["", "x", "a" * 31 + "b", "é" * 32, "a" * 65536, GOOD],
    ids=["empty", "short", "other", "non-ascii", "64-kB", "api-token"],
)
def test_nothing_but_the_bootstrap_token_is_taken_for_it(text):
    assert BootstrapToken("a" * 32).principal_for(text) is None


def test_a_bootstrap_token_may_be_as_long_as_the_longest_text_that_is_read():
    text = "a" * MAXIMUM_CHARACTERS

    assert BootstrapToken(text).principal_for(text) is BOOTSTRAP


def test_the_bootstrap_token_is_not_kept_in_the_object():
    text = "correct-horse-battery-staple-0123456789"
    token = BootstrapToken(text)

    assert all(text not in str(value) for value in vars(token).values())


def test_new_tokens_compare_by_value():
    assert NewToken("a", "b") == NewToken("a", "b")


def test_a_new_secret_may_be_made_for_an_id_that_is_there():
    first = make_token("api")

    second = make_token("api", first.id)

    assert second.id == parse_token(second.text).id == first.id
    assert second.text != first.text


@pytest.mark.parametrize(
    ("text", "may_be"),
    [
        ("0123456789AB", True),
        ("zzzzzzzzzzzz", True),
        ("", False),
        ("0123456789A", False),
        ("0123456789ABC", False),
        ("0123456789A\n", False),
        ("0123456789A\0", False),
        ("ä123456789AB", False),
    ],
)
def test_only_twelve_letters_and_digits_may_be_an_id(text, may_be):
    assert is_token_id(text) is may_be
