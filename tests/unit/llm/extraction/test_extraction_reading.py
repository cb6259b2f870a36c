import pytest

from flaskllm.llm.extraction.reading import read
from flaskllm.llm.types import Extraction, Passage

GERMAN = "Wir haben die Lieferung heute geprüft und die Rechnung bezahlt. "
ENGLISH = "This message is confidential and intended for its recipient only. "


def read_texts(*texts, language="en"):
    passages = tuple(Passage(f"p{n}", text, "Ann") for n, text in enumerate(texts))
    return read(Extraction("summary", language, passages))


def test_sentences_carry_their_passage_and_speaker():
    passages = (Passage("a", "One. Two.", "Ann"), Passage("b", "Old.", shown=False))

    found = read(Extraction("summary", "en", passages))

    assert [(s.part, s.speaker, s.text, s.shown) for s in found] == [
        ("a", "Ann", "One.", True),
        ("a", "Ann", "Two.", True),
        ("b", None, "Old.", False),
    ]


def test_the_words_decide_the_language_not_the_wish():
    (sentence, *_) = read_texts(GERMAN, language="en")

    assert sentence.language == "de"


def test_a_text_too_short_to_tell_is_in_the_wished_language():
    (sentence,) = read_texts("Ok", language="sv")

    assert sentence.language == "sv"


def test_a_long_passage_has_its_own_language():
    found = read_texts(GERMAN * 8, ENGLISH * 4, "Danke.")

    assert [s.language for s in found] == ["de"] * 8 + ["en"] * 4 + ["de"]


def test_bullets_and_quote_marks_are_no_part_of_a_sentence():
    texts = [
        s.text
        for s in read_texts("- First\n* Second\n\n> > Third\n\n-5 is cold\n\n> -")
    ]

    assert texts == ["First", "Second", "Third", "-5 is cold", "-"]


def test_numbers_of_list_items_stay():
    assert [s.text for s in read_texts("1. First\n2. Second")] == [
        "1. First",
        "2. Second",
    ]


def test_what_is_too_long_for_a_sentence_is_read_in_pieces():
    text = "word " * 300 + "x" * 500

    pieces = [s.text for s in read_texts(text)]

    assert max(map(len, pieces)) <= 200
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")
    assert all(piece in text for piece in pieces)


def test_dates_are_mentioned():
    (sentence,) = read_texts("Please send the report by Friday.")

    (mention,) = sentence.mentions
    assert "Friday" in mention.text


def test_questions_are_known_in_any_script():
    texts = ("Is it?", "これですか？", "هل هذا؟", 'He said "why?"', "No.", "Yes; no")

    assert [s.is_question for s in read_texts(*texts)] == [True] * 4 + [False] * 2


@pytest.mark.no_cover
def test_only_the_first_million_characters_are_read():
    line = "The auditors checked the whole warehouse on Monday morning. "
    passages = tuple(Passage(f"p{n}", line * 4_000) for n in range(6))

    sentences = read(Extraction("summary", "en", passages))

    assert sum(len(each.text) for each in sentences) <= 1_000_000
    assert [*dict.fromkeys(each.part for each in sentences)] == [
        "p0",
        "p1",
        "p2",
        "p3",
        "p4",
    ]
    assert sentences[-1].text in line
