"""A quote is found whole or not at all."""

import json
import random
import re
import time
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from rounds import rounds

from flaskllm.core.folding import fold, is_border
from flaskllm.inputs import parse
from flaskllm.services.digests.quotes import Match, locate, locate_anywhere

PLANTED = Path(__file__).parents[4] / "flaskllm" / "cli" / "samples" / "planted"
TURN = (
    "If we start tomorrow we finish on, uh, April eighth at the earliest, and we "
    "can't pay $1,000. It’s a “non-binding”\u00a0offer… ok? Groß, um, 10² m."
)
GERMAN = "Stellst du bitte die Testumgebung, ähm, bis Freitag um? Wir zahlen 8.950 EUR."

VOCABULARY = (
    "we you the a not never launch budget Straße Größe 12 1,000 8.950 May fourth can't "
    "O'Neill sign-on € $5 (really) “so” naïve Ölpreis 日本 2026-06-24"
)
WORDS = st.sampled_from(VOCABULARY.split())
PAUSES = st.sampled_from([" ", " ", " ", ", ", ". ", "\n", " – ", " \n> "])


@st.composite
def sentences(draw, at_least=4):
    words = draw(st.lists(WORDS, min_size=at_least, max_size=24))
    return words[0] + "".join(draw(PAUSES) + word for word in words[1:])


def words_of(text):
    return [word for word in text.split() if word != ">"]


def reads(match, text):
    return text[match.offset : match.offset + match.length]


@pytest.mark.parametrize(
    ("quote", "tier", "found"),
    [
        ("we finish on, uh, April eighth", "exact", "we finish on, uh, April eighth"),
        ("  tomorrow we\n", "exact", "tomorrow we"),
        ("start", "exact", "start"),
        ("IF WE START", "folded", "If we start"),
        (
            'it\'s a "non-binding" offer...',
            "folded",
            "It’s a “non-binding”\u00a0offer…",
        ),
        ("gross", "folded", "Groß"),
        ("we start: tomorrow; we finish", "aligned", "we start tomorrow we finish"),
        ("…we start, tomorrow…", "aligned", "we start tomorrow"),
        ('"If we start, tomorrow."', "aligned", "If we start tomorrow"),
        ("finish on April eighth", "aligned", "finish on, uh, April eighth"),
        ("finish on uh April eighth", "aligned", "finish on, uh, April eighth"),
        ("ok? Groß 10² m", "aligned", "ok? Groß, um, 10² m"),
    ],
)
def test_a_true_quote_is_found_in_its_tier(quote, tier, found):
    match = locate(quote, TURN)

    assert match is not None
    assert (match.tier, reads(match, TURN)) == (tier, found)


@pytest.mark.parametrize(
    "quote",
    [
        pytest.param("", id="empty"),
        pytest.param(" \n", id="blank"),
        pytest.param("...", id="punctuation only"),
        pytest.param("we start today", id="changed word"),
        pytest.param("we finish start", id="missing words"),
        pytest.param("tomorrow start we", id="reordered"),
        pytest.param("we do not start tomorrow", id="negation added"),
        pytest.param("we can", id="negation cut off at the end"),
        pytest.param("we can pay", id="negation cut out"),
        pytest.param("binding offer", id="negation cut off in a compound"),
        pytest.param("binding, offer", id="the same in the last tier"),
        pytest.param("pay $1", id="number cut short"),
        pytest.param("pay $100", id="changed number"),
        pytest.param("pay $1000", id="changed separators"),
        pytest.param("pay 1,000, it's", id="currency left out"),
        pytest.param("tomorr", id="part of a word"),
        pytest.param("we start ... we finish", id="elision"),
        pytest.param("we start […] we finish", id="elision in brackets"),
        pytest.param("we start . . . tomorrow", id="elision of nothing"),
        pytest.param("April ninth, um, at", id="filler added"),
        pytest.param("start, tomorro", id="part of a word in the last tier"),
        pytest.param("ok? 102 m", id="exponent flattened"),
        pytest.param("eighth uh at", id="filler elsewhere"),
        pytest.param("April, 8th", id="other spelling"),
    ],
)
def test_a_false_quote_is_not_found(quote):
    assert locate(quote, TURN) is None


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        pytest.param("bis Freitag, ja", "bis Freitag um ja", id="part of a verb"),
        pytest.param("Wir treffen uns, zwölf", "Wir treffen uns um zwölf", id="um"),
        pytest.param("Das macht, morgen", "Das macht er morgen", id="er"),
        pytest.param("do, the price", "do you know the price", id="you know"),
        pytest.param("Say it, now", "Say uh-huh it now", id="uh-huh"),
        pytest.param("is, -5 now", "is 5 now", id="sign"),
        pytest.param("is 1 now", "is 1, 000 now", id="parted number"),
    ],
)
def test_a_word_that_may_be_a_filler_is_none_without_pauses(quote, text):
    assert locate(quote, text) is None


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("die Testumgebung bis Freitag um", GERMAN),
        ("I want the price, by Friday", "I want, you know, the price by Friday"),
        ("So we go, now", "Um, so we go, er, now"),
    ],
)
def test_fillers_between_pauses_may_be_left_out(quote, text):
    match = locate(quote, text)

    assert match is not None
    assert match.tier == "aligned"


def test_no_more_than_one_filler_in_five_words_is_left_out():
    assert locate("we go home now", "we uh go home now")
    assert locate("we go home now", "we uh go uh home now") is None
    assert locate("we go home right now", "we uh go uh home right now") is None
    assert locate("we go home right now then", "we uh go uh home right now then")


def test_the_fillers_of_a_quote_stand_where_they_stand_in_the_text():
    assert locate("we uh go, home now", "we uh go uh home now")
    assert locate("we uh go home now", "we go uh uh home now") is None


def test_a_later_place_may_have_few_enough_fillers():
    text = "we uh uh uh go home. Later we uh go home."

    match = locate("we go home", text)

    assert match == Match(text.index("we uh go"), 13, "aligned")


def test_an_elision_of_the_text_itself_may_stand_in_an_aligned_quote():
    assert locate('"So... you go, now?"', "So... you go now")
    assert locate("So... you go, now", "So you go now") is None
    assert locate("So... you... go, now", "So... you go now") is None


@pytest.mark.parametrize("quote", ["May, be", "x y", "so"])
def test_short_quotes_are_never_aligned(quote):
    assert locate(quote, "may . be x . y s.o") is None


def test_an_exact_place_wins_over_an_earlier_folded_one():
    assert locate("hello world", "HELLO WORLD, hello world") == Match(13, 11, "exact")


def test_a_place_inside_a_word_does_not_hide_a_later_one():
    assert locate("what", "somewhat what") == Match(9, 4, "exact")
    assert locate("WHAT", "somewhat—what") == Match(9, 4, "folded")
    assert locate("art, for", "smart for art for") == Match(10, 7, "aligned")


def test_half_a_character_is_not_found():
    assert locate("5", "№5") is not None
    assert locate("o5", "№5") is None
    assert locate("(株", "㈱ (株)") == Match(2, 2, "exact")
    assert locate("（株", "㈱") is None


def test_scripts_without_spaces_are_quoted_from_the_middle_of_a_line():
    text = "我们明日会议结束以后一起去吃饭"

    assert locate("明日会议", text) == Match(2, 4, "exact")
    assert locate("明日会议，结束以后", text) == Match(2, 8, "aligned")
    assert locate("明日不会议结束以后", text) is None


def test_a_quote_goes_over_the_marks_of_a_quoted_mail():
    text = "> please print the\n> customs papers twice"

    assert locate("print the customs papers", text) == Match(9, 26, "folded")


def test_the_strictest_tier_of_all_parts_wins():
    parts = [("a", "We, start"), ("b", "we START now"), ("c", "we start now")]

    assert locate_anywhere("we start now", parts) == ("c", Match(0, 12, "exact"))
    assert locate_anywhere("we start now", parts[:2]) == ("b", Match(0, 12, "folded"))
    assert locate_anywhere("we, start now", parts[1:]) == ("b", Match(0, 12, "aligned"))
    assert locate_anywhere("we stop", parts) is None
    assert locate_anywhere("we stop", []) is None


@given(sentences(), st.data())
def test_every_verbatim_slice_between_borders_is_found_there_or_earlier(text, data):
    borders = [index for index in range(len(text) + 1) if is_border(text, index)]
    start = data.draw(st.sampled_from(borders))
    end = data.draw(st.sampled_from([index for index in borders if index >= start]))
    quote = text[start:end]
    assume(re.search(r"\w", quote))

    match = locate(quote, text)

    assert match is not None
    assert match.tier == "exact"
    assert match.offset <= start + len(quote) - len(quote.lstrip())
    assert reads(match, text) == quote.strip()


VARIANTS = {
    "case": str.upper,
    "curly quotes": lambda quote: quote.replace("'", "’").replace("“", '"'),
    "no-break spaces": lambda quote: quote.replace(" ", "\u00a0"),
    "line breaks": lambda quote: quote.replace(" ", "\n  "),
    "soft hyphens": lambda quote: quote.replace("n", "n\u00ad"),
    "hyphens": lambda quote: quote.replace("-", "‑"),
}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
@given(text=sentences())
def test_every_variant_of_writing_is_found_whole(variant, text):
    quote = variant(text)

    match = locate(quote, f"Before. {text} After.")

    assert match is not None
    assert match.tier in ("exact", "folded", "aligned")
    assert (
        fold(reads(match, f"Before. {text} After.")).text.split()
        == fold(text).text.split()
    )


@given(sentences(), st.randoms())
def test_a_quote_with_punctuation_changed_is_found(text, chance):
    words = words_of(text)
    quote = "".join(word + chance.choice([" ", ", ", "; ", " – "]) for word in words)

    assert locate(quote, text) is not None or len(fold(quote).text) < 8


def alter(words, position, kind):
    """Return the words with one of them changed, left out, moved or a word added."""
    changed = list(words)
    if kind == "changed":
        changed[position] = "altered"
    elif kind == "left out":
        del changed[position]
    elif kind == "negation":
        changed.insert(position, "not")
    else:
        changed[position], changed[position + 1] = (
            changed[position + 1],
            changed[position],
        )
    return changed


def tokens(text):
    return re.findall(r"[^\W_]+(?:['’.,-][^\W_]+)*|[$€]", fold(text).text)


def holds(needle, haystack):
    return any(
        haystack[index : index + len(needle)] == needle
        for index in range(len(haystack))
    )


@given(
    sentences(6),
    st.sampled_from(["changed", "left out", "negation", "moved"]),
    st.data(),
)
def test_no_quote_with_one_word_altered_is_found(text, kind, data):
    words = words_of(text)
    position = data.draw(st.integers(1, len(words) - 2))
    quote = " ".join(alter(words, position, kind))
    assume(not holds(tokens(quote), tokens(text)))

    assert locate(quote, text) is None


def planted_texts():
    kinds = {".eml": "message/rfc822", ".vtt": "text/vtt"}
    for path in sorted(PLANTED.iterdir()):
        if path.suffix in kinds:
            media_type = kinds[path.suffix]
            document = parse(path.read_bytes(), media_type=media_type, source=None)
            yield path.name, [(part.id, part.text) for part in document.parts]


def test_every_planted_quote_is_found():
    texts = dict(planted_texts())
    expected = json.loads((PLANTED / "expected.json").read_text("utf-8"))
    quotes = [
        (name, fact["quote"])
        for name, truth in expected.items()
        for facts in truth["facts"].values()
        for fact in facts
    ]

    assert len(quotes) >= 80
    assert all(locate_anywhere(quote, texts[name]) for name, quote in quotes)


@pytest.mark.no_cover
def test_of_many_quotes_all_are_found_and_of_as_many_altered_ones_none():
    chance = random.Random(20260310)
    texts = [text for _, parts in planted_texts() for _, text in parts]
    long = [text for text in texts if len(text.split()) >= 6]
    found, accepted = 0, []
    tries = rounds(300, 1_000)
    for _ in range(tries):
        text = chance.choice(long)
        # "2 250,50" is one word: half of it is no quote.
        words = re.split(r"(?<!\d)\s+|\s+(?!\d)", text)
        first = chance.randrange(len(words) - 4)
        chosen = words[first : first + chance.randint(4, 25)]
        found += locate(" ".join(chosen), text) is not None
        kind = chance.choice(["changed", "left out", "negation", "moved"])
        false = " ".join(alter(chosen, chance.randrange(1, len(chosen) - 1), kind))
        lie = not holds(tokens(false), tokens(text))
        if lie and locate_anywhere(false, enumerate(texts)):
            accepted.append(false)

    assert found == tries
    assert not accepted


HOSTILE = {
    "ordinary": ("the quick brown fox jumps over it, uh, and 12 other dogs. ", None),
    "one word": ("a", "a" * 500),
    "words alike": ("a ", "a " * 250 + "b"),
    "hyphens": ("a-", "a-" * 250 + "b"),
    "fillers": ("a uh uh ", "a " * 200),
    "spaces": (" ", "a b c d e f"),
    "quoted": ("\n> ", "a b c d e f g"),
    "accents": ("é", "hello there you"),
    "signs": ("-5 ", "5 -5, -5 5"),
}


@pytest.mark.parametrize(("unit", "quote"), HOSTILE.values(), ids=HOSTILE)
@pytest.mark.no_cover
def test_a_long_text_is_searched_in_bounded_time(unit, quote):
    length = rounds(250_000, 1_000_000)
    text = (unit * (length // len(unit) + 1))[:length]
    wanted = quote or text[100_000:100_480] + " zebra"
    began = time.process_time()

    assert locate(wanted, text) is None
    assert time.process_time() - began < rounds(3, 10)
