import pytest

from flaskllm.llm.extraction.words import count_words, find_terms, split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't STOP, Zoë!", ["don", "t", "stop", "zoë"]),
        ("v2 of 3_4", ["v2", "of", "3", "4"]),
        ("बैठक की", ["बैठक", "की"]),
        ("cafe\u0301 noir", ["cafe\u0301", "noir"]),
        ("会議です", ["会議", "議で", "です"]),
        ("人", ["人"]),
        ("人々が", ["人々", "々が"]),
        ("ﾃｽﾄ", ["ﾃｽ", "ｽﾄ"]),
        ("AI会議", ["ai", "会議"]),
        ("... ?!", []),
    ],
)
def test_words_of_any_script_are_found(text, words):
    assert split_words(text) == words


@pytest.mark.parametrize(
    ("language", "text", "terms"),
    [
        ("en", "Uh, I don't know the new budget of 2026 yet", ["budget"]),
        ("de", "Das ist über die Rechnung", ["rechnung"]),
        ("ja", "木曜日の会議です", ["木曜", "曜日", "日の", "の会", "会議", "議で"]),
        ("kl", "A b ilinniarfik 12", ["ilinniarfik"]),
    ],
)
def test_terms_are_words_with_a_subject(language, text, terms):
    assert find_terms(text, language) == terms


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("Two words", 2), ("今日は会議", 3), ("AI 会議 now", 3)],
)
def test_two_characters_of_a_dense_script_count_as_a_word(text, count):
    assert count_words(text) == count
