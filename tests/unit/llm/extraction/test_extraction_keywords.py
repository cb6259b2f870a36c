import pytest

from flaskllm.core.languages import stop_words
from flaskllm.llm.extraction.keywords import find_keywords
from flaskllm.llm.extraction.reading import read
from flaskllm.llm.types import Extraction, Passage

TEXT = """The certification lab is closed. The campaign budget says forty, and the
certification lab knows. We need 12 pallets of solar panels by Friday, 8 May 2026,
said Maria. The campaign budget is new. Solar panels are not in the campaign budget.
"""


def keywords(text, language="en", speaker=None, shown=True):
    passages = (Passage("p1", text, speaker, shown),)
    return find_keywords(read(Extraction("keywords", language, passages)))


def test_phrases_between_stop_words_are_ranked_by_weight_and_count():
    assert keywords(TEXT)[:3] == [
        "campaign budget",
        "certification lab",
        "solar panels",
    ]


def test_keywords_stand_in_the_text_and_hold_no_stop_word_or_bare_number():
    found = keywords(TEXT)

    assert 4 <= len(found) <= 10
    for keyword in found:
        assert keyword in TEXT
        assert not stop_words("en") & set(keyword.casefold().split())
        assert not any(word.isdigit() for word in keyword.split())


def test_dates_and_speakers_are_no_keywords():
    found = keywords(TEXT, speaker="Maria Lopez")

    assert found
    for word in ("Maria", "Friday", "May"):
        assert word not in " ".join(found)


def test_amounts_and_addresses_are_no_keywords():
    text = "Sales pays 1.200 EUR to ann@bills.example, see https://bills.example/new."

    assert keywords(text) == ["Sales pays"]


def test_no_keyword_repeats_one_before_it():
    text = "User interface design. The user interface. The user interface design team."

    assert keywords(text) == ["User interface design"]


def test_runs_of_more_than_three_words_are_no_phrase():
    assert keywords("Solar panel battery inverter cable") == []


def test_there_are_at_most_ten():
    words = "alder birch cedar elm hazel juniper larch maple poplar rowan spruce willow"

    assert len(keywords(". ".join(words.split()))) == 10


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("ja", "木曜日の会議です。会議の資料を送ります。", "会議"),
        ("zh", "我们的预算已经批准。这个预算很重要。", "预算"),
        ("ko", "예산이 승인되었습니다. 예산이 중요합니다.", "예산이"),
        ("hi", "बैठक का बजट। यह बजट नया है।", "बजट"),
    ],
)
def test_scripts_without_spaces_have_keywords_too(language, text, expected):
    assert expected in " ".join(keywords(text, language)[:2])


def test_nothing_is_taken_from_what_is_not_shown():
    assert keywords(TEXT, shown=False) == []
    assert keywords("") == []
