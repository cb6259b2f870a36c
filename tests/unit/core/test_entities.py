"""Addresses, links, amounts, telephone numbers and codes."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rounds import rounds

from flaskllm.core.entities import code_words, find, links_and_addresses


def named(text, kind):
    return [entity.text for entity in find(text) if entity.kind == kind]


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("Write to Annika@Example.com, please.", ["Annika@Example.com"]),
        (
            "<mailto:bob.o'neil+x@mail.example.co.uk>",
            ["bob.o'neil+x@mail.example.co.uk"],
        ),
        ("'joe@evil.com' and *ann@evil.com*", ["joe@evil.com", "ann@evil.com"]),
        ("-bob@evil.net", ["bob@evil.net"]),
        ("jörg@müller.de", ["jörg@müller.de"]),
        ("a@b and @name and x@y.z", []),
        ("mailto:a@b.de?bcc=evil@example.net", ["a@b.de", "bcc=evil@example.net"]),
    ],
)
def test_addresses_are_found_without_what_stands_around_them(text, addresses):
    assert named(text, "email") == addresses


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("See https://www.x.y/z(1)/., now", ["https://www.x.y/z(1)/"]),
        (
            "(http://a.b/c), [d](https://e.fr/g?q=1)",
            ["http://a.b/c", "https://e.fr/g?q=1"],
        ),
        (
            "Mercury.com and www.x.y/z and EVIL.COM!",
            ["Mercury.com", "www.x.y/z", "EVIL.COM"],
        ),
        (
            "_evil.com_ **www.evil.com** @evil.com -evil.com",
            ["evil.com", "www.evil.com", "evil.com", "evil.com"],
        ),
        ("..evil.org //evil.org/x", ["evil.org", "evil.org/x"]),
        (
            "evil.cyou a.b.c.d.e.f.g.h.i.j.k.evil.com",
            ["evil.cyou", "a.b.c.d.e.f.g.h.i.j.k.evil.com"],
        ),
        ("http://bank.com@evil.com/", ["http://bank.com@evil.com/"]),
        (
            "hxxp://foo.bar ftp://x.org javascript:alert(1)",
            ["hxxp://foo.bar", "ftp://x.org", "javascript:alert(1)"],
        ),
        (
            "10.0.0.1:8080/x http://localhost:8000",
            ["10.0.0.1:8080/x", "http://localhost:8000"],
        ),
        ("evil．com evil。com", ["evil．com", "evil。com"]),
        ("почта.рф, 163.com, example.Com.", ["почта.рф", "163.com", "example.Com"]),
        ("host.example:8080 report.pdf/../x", ["host.example:8080", "report.pdf/../x"]),
        ("[1]: https://collector.example/?d=1", ["https://collector.example/?d=1"]),
        ('<a href="https://a.example/b">', ["https://a.example/b"]),
    ],
)
def test_links_are_found_however_they_are_dressed(text, links):
    assert named(text, "url") == links


@pytest.mark.parametrize(
    "text",
    [
        "e.g. z.B. U.S.A. i.e. a.m.",
        "done.Then we",
        "report.pdf notes.txt Node.js",
        "3.5kg v1.2.3 10.30",
        "192.168.0.1",
        "1.这是一个 你好。世界",
        "2.the next",
        "http://",
    ],
)
def test_what_only_looks_like_a_host_is_no_link(text):
    assert named(text, "url") == []


@pytest.mark.parametrize(
    "amount",
    [
        "$656.71",
        "8.950 EUR",
        "45.000 €",
        "CHF 1'200",
        "US$ 3m",
        "40,- €",
        "£2.5 million",
        "8.400,00 Euro",
        "1 000 kr",
        "USD 1,000.50",
        "3 Mio. €",
        "€5",
        "-",
        "100 zł",
        "₹ 12,34",
        "12 dollars",
        "EUR -5",
    ],
)
def test_amounts_are_found_whole(amount):
    expected = [] if amount == "-" else [amount]

    assert named(f"It costs {amount}, they say.", "amount") == expected


@pytest.mark.parametrize(
    "number",
    [
        "+46 31 555 01 88",
        "030/1234567",
        "(555) 123-4567",
        "+1 (555) 123-4567",
        "0049 30 1234567",
        "555-123-4567",
        "+4915112345678",
    ],
)
def test_telephone_numbers_are_found_whole(number):
    assert named(f"Call {number}.", "phone") == [number]


@pytest.mark.parametrize(
    "text",
    [
        "2026-06-24",
        "24.06.2026",
        "06.05.2026",
        "12 345",
        "14:30-15:00",
        "1234567890123456789",
        "01 02",
        "INV-0301234567",
        "+1 2",
        "00.12.2026",
        "03 12 2026",
    ],
)
def test_dates_and_other_numbers_are_no_telephone_numbers(text):
    assert named(f"See {text}.", "phone") == []


def test_entities_come_in_order_and_do_not_overlap():
    text = "a@b.de $5 https://x.org/a@b.de +46 31 555 01 88 c.de"

    found = find(text)

    assert [entity.kind for entity in found] == [
        "email",
        "amount",
        "url",
        "phone",
        "url",
    ]
    assert all(text[each.start : each.end] == each.text for each in found)
    assert all(one.end <= other.start for one, other in pairwise(found))


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("https://WWW.Mercury.COM/Login/", {"mercury.com", "mercury.com/Login"}),
        ("Mail Bob@X.org", {"bob@x.org"}),
        ("http://bank.com@evil.com/a", {"evil.com", "evil.com/a"}),
        ("ev\u200bil.com", {"evil.com"}),
        ("ｅｖｉｌ．ｃｏｍ", {"evil.com"}),
        ("https://x.org?q=1#f", {"x.org", "x.org?q=1#f"}),
        ("https://x.org:8080./", {"x.org:8080"}),
        ("nothing for 5 EUR", set()),
    ],
)
def test_links_and_addresses_have_one_form(text, forms):
    assert links_and_addresses(text) == forms


def test_a_link_of_the_source_is_known_again_in_other_dress_and_no_other_is():
    source = links_and_addresses("See https://www.mercury.com/login/ or ask Ann@x.org.")

    assert (
        links_and_addresses("Mercury.com, http://mercury.com/login, ann@X.ORG")
        <= source
    )
    assert not links_and_addresses("mercury.com/login?leak=1") <= source
    assert not links_and_addresses("mercury.com.evil.net") <= source
    assert not links_and_addresses("x.org") <= source


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("say CANARY-DEV-100 now", {"CANARY-DEV-100"}),
        ("canary-dev-201", {"CANARY-DEV-201"}),
        ("INV-2024-17, A4F9.", {"INV-2024-17", "A4F9"}),
        ("TOP‑SECRET and TOP–SECRET", {"TOP-SECRET"}),
        ("sk_live_4eC39", {"SK_LIVE_4EC39"}),
        ("Q3 B2B COVID-19", {"Q3", "B2B", "COVID-19"}),
        ("3f1c7d52-9a44-4c0e", {"3F1C7D52-9A44-4C0E"}),
        (
            "24th 45k 2pm 20GB 3.5kg 30-day mid-2026 2026-06-24 10:30 E-MAIL sign-on",
            set(),
        ),
        ("", set()),
    ],
)
def test_codes_are_told_from_plain_language(text, codes):
    assert code_words(text) == codes


SOUP = st.text(st.sampled_from("a.@:/-_+$€ 1,0()[]wcom'\"\n<>hé。."), max_size=120)


@given(SOUP)
def test_every_entity_is_a_piece_of_the_text(text):
    for entity in find(text):
        assert text[entity.start : entity.end] == entity.text
        assert entity.text.strip()


@given(SOUP)
def test_links_found_anywhere_are_found_again_alone(text):
    for entity in find(text):
        if entity.kind in ("url", "email"):
            assert links_and_addresses(entity.text) is not None


HOSTILE = [
    "a",
    "a.",
    "a@",
    "1 ",
    "+1",
    "1.000.",
    "http://",
    "a-",
    "(",
    "1",
    "$1",
    "x.y/",
    "EUR ",
    "+1-",
    "ä@ö.",
    ".",
    "-a",
    "a_",
    "1,",
    "1'000",
    "data:",
    "'",
    "0 1",
]


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize("read", [find, code_words, links_and_addresses])
@pytest.mark.no_cover
def test_long_hostile_text_is_read_in_linear_time(read, unit):
    length = rounds(200_000, 1_000_000)
    text = (unit * (length // len(unit)))[:length]
    began = time.process_time()

    read(text)

    assert time.process_time() - began < rounds(2, 8)


@pytest.mark.no_cover
def test_a_link_with_many_brackets_is_trimmed_in_bounded_time():
    text = ("http://a" + ")" * 2000 + " ") * 200
    began = time.process_time()

    assert {entity.text for entity in find(text)} == {"http://a"}
    assert time.process_time() - began < 8
