"""Free wording of a model can do no harm to whoever shows it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rounds import rounds

from flaskllm.core import entities
from flaskllm.services.digests.wording import LINK_REMOVED, clean

PIECES = [
    *("<", "<b", ">", "!", "[", "]", "(", ")", ":", "/", "x", " ", "\n", "|", "@", "."),
    *("https://evil.example/q", "https://good.example/a", "a@good.example", "[1]"),
    *("eve@evil.example", "evil.example", "javascript:", "data:", "file:", "www."),
    *("<script>", LINK_REMOVED, "\u200b", "\u2028", "vb"),
]
ALLOWED = entities.links_and_addresses("see https://good.example/a or a@good.example")


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("see ![x](https://evil.example/q)", "see"),
        ("see ![x][1]\n[1]: https://evil.example/q", "see"),
        ("[click](https://evil.example)", f"click {LINK_REMOVED}"),
        ("<img src=x onerror=alert(1)>pay", "pay"),
        ("<svg onload=alert(1)>pay</svg>", "pay"),
        ("write to eve@evil.example", f"write to {LINK_REMOVED}"),
        ("go to www.evil.example/x now", f"go to {LINK_REMOVED} now"),
        ("run javascript:alert(1) now", f"run {LINK_REMOVED} now"),
        ("\x1b]52;c;ZXZpbA==\x07pay", "]52;c;ZXZpbA==pay"),
        ("p\u200bay\u202e \U000e0041now", "pay now"),
        ("<|user|>pay", "pay"),
        ("a\n\n\n\n  b ", "a\n\nb"),
        ("<scr<script>ipt>pay", "< script>pay"),
        ("<img src=x onerror=alert(1) ", "< img src=x onerror=alert(1)"),
        (f"<img alt='{'x' * 900}' onerror=alert(1)>pay", "pay"),
        ("![x] ![y][z] pay", "pay"),
        ("!![a](b)[c](d) pay", "!c d pay"),
        ("Ada <a@good.example>", "Ada a@good.example"),
        ("<https://good.example/a>", "https://good.example/a"),
        ("<https://evil.example/a>", LINK_REMOVED),
        ("[1]: https://evil.example/q 'title'\npay", "pay"),
        ("eve@evil.example: hi", f"{LINK_REMOVED} : hi"),
        ("!https://evil.example", f"! {LINK_REMOVED}"),
        ("eve@evil.example(a)", f"{LINK_REMOVED} (a)"),
        ("eve@evil.example/evil.example", f"{LINK_REMOVED}/{LINK_REMOVED}"),
        ("open file:///etc/passwd now", f"open {LINK_REMOVED} now"),
        ("vbscript:x", LINK_REMOVED),
        ("[1]: https://good.example/a", None),
        ("[Ada]: I will pay", None),
        ("[10:03]: hello", None),
        ("the data: 45 users, the file: x", None),
        ("We write JavaScript: much of it", None),
        ("see https://good.example/a or a@good.example", None),
        ("5 < 6 and 7 > 3", None),
    ],
)
def test_wording_is_made_harmless(hostile, harmless):
    assert clean(hostile, ALLOWED).text == (harmless or hostile)


def test_what_is_taken_out_is_counted():
    text = "https://evil.example/a javascript:x eve@evil.example"

    assert clean(text, ALLOWED).removed == 3


@pytest.mark.parametrize(
    ("text", "removed"),
    [
        ("![x](https://evil.example/q)", 1),
        ("<img src=https://evil.example/q>", 1),
        ("[1]: https://evil.example/q", 1),
        ("[click](https://evil.example)", 1),
        ("![x](https://good.example/a)", 0),
        (f"{LINK_REMOVED} was here", 0),
        (f"{LINK_REMOVED} and eve@evil.example", 1),
        ("pay", 0),
    ],
)
def test_what_goes_with_its_markup_is_counted_too(text, removed):
    assert clean(text, ALLOWED).removed == removed


def test_of_what_is_wrapped_again_and_again_only_words_stay():
    text = "pay, [" * 9 + "![x](y)" + "](z)" * 9

    cleaned = clean(text, ALLOWED).text

    assert not set(cleaned) & set("[]()!<>")
    assert cleaned.startswith("pay, pay,")


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from(PIECES), max_size=14).map("".join) | st.text(max_size=80)
)
def test_clean_wording_stays_as_it_is_and_holds_allowed_links_only(text):
    once = clean(text, ALLOWED).text

    assert clean(once, ALLOWED).text == once
    assert entities.links_and_addresses(once) <= ALLOWED


@pytest.mark.timeout(rounds(10, 20))
@pytest.mark.parametrize(
    "piece",
    ["![", "[", "[](", "<a", " \n", "\n", "data:", "a@", "a.", "https://a", "!a.de "],
)
@pytest.mark.no_cover
def test_a_hostile_answer_is_cleaned_in_linear_time(piece):
    clean(piece * (rounds(60_000, 300_000) // len(piece)), ALLOWED)


@given(st.text(max_size=300))
def test_no_invisible_character_and_no_foreign_link_is_left(text):
    cleaned = clean(text + " https://evil.example", frozenset()).text

    assert "evil.example" not in cleaned
    assert "\x1b" not in cleaned
    assert "\u200b" not in cleaned


@pytest.mark.parametrize(
    "link",
    ["secretdata.evil.Ru", "data-1.evil.Xyz", "данные.онлайн/x", "ｅｖｉｌ．ｃｏｍ/x"],
)
def test_a_link_in_disguise_is_a_link(link):
    assert clean(f"see {link}", frozenset()).text == f"see {LINK_REMOVED}"
