import pytest
from babel import Locale

from flaskllm.core.languages import detect, is_language, stop_words

SENTENCES = {
    "en": "Could you confirm the loading bay by Thursday?",
    "de": "Können wir den Termin auf Mittwoch verschieben?",
    "fr": "Nous avons décidé de reporter le lancement.",
    "es": "Hemos decidido aplazar el lanzamiento.",
    "it": "Puoi confermare la riunione di giovedì?",
    "nl": "We hebben besloten de lancering uit te stellen.",
    "pt": "O relatório está em anexo.",
    "sv": "Vi bestämde oss för att skjuta upp lanseringen.",
    "pl": "Postanowiliśmy przełożyć premierę.",
    "da": "Vi besluttede at udskyde lanceringen.",
    "fi": "Voitko vahvistaa torstain kokouksen?",
    "cs": "Rozhodli jsme se odložit spuštění.",
    "ru": "Можете подтвердить встречу в четверг?",
    "uk": "Чи можете підтвердити зустріч у четвер?",
    "tr": "Lansmanı ertelemeye karar verdik.",
    "ja": "木曜日の会議を確認していただけますか？",
    "zh": "我们决定推迟发布。",
    "ko": "목요일 회의를 확인해 주시겠어요?",
    "ar": "هل يمكنك تأكيد اجتماع الخميس؟",
    "el": "Μπορείτε να επιβεβαιώσετε τη συνάντηση;",
    "hi": "क्या आप बैठक की पुष्टि कर सकते हैं?",
}


@pytest.mark.parametrize(("language", "text"), SENTENCES.items(), ids=SENTENCES)
def test_one_sentence_is_enough_to_tell_the_language(language, text):
    assert detect(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        "A domani",
        "12345 67.89",
        "!!! ??? ...",
        "https://example.com/there/is/no/language/in/a/link",
        "someone@example.org, sales@example.com",
        "asdf qwer",
        "\x00" * 50,
        "a\ud800b",
    ],
)
def test_too_little_text_is_no_language(text):
    assert detect(text) is None


def test_four_characters_of_a_dense_script_are_enough():
    assert detect("会議です") == "ja"


def test_links_and_numbers_do_not_drown_the_words():
    link = " https://example.com/reset/password/and/confirm/the/account "

    assert detect(SENTENCES["de"] + 3 * link + 20 * "1234 ") == "de"


def test_the_language_that_prevails_is_that_of_a_mixed_text():
    german, english = SENTENCES["de"], SENTENCES["en"]

    assert detect("\n".join([german] * 4 + [english])) == "de"
    assert detect("\n".join([english] * 4 + [german])) == "en"


def test_only_the_first_page_of_a_long_text_counts():
    assert detect(SENTENCES["en"] * 100 + SENTENCES["de"] * 1000) == "en"


@pytest.mark.parametrize(("word", "language"), [("the", "en"), ("über", "de")])
def test_stop_words_carry_no_subject(word, language):
    assert word in stop_words(language)
    assert "invoice" not in stop_words(language)


def test_both_norms_of_norwegian_share_their_stop_words():
    assert stop_words("nb") == stop_words("nn") == stop_words("no") != frozenset()


def test_a_language_without_a_list_has_no_stop_words():
    assert stop_words("kl") == stop_words("") == frozenset()


def test_the_codes_are_those_of_iso_639_1():
    known = {code for code in Locale("en").languages if len(code) == 2}

    # Serbo-Croatian was withdrawn in the year 2000; CLDR keeps its name.
    assert {code for code in known if is_language(code)} == known - {"sh"}


@pytest.mark.parametrize("code", ["", "e", "EN", "eng", "xx", "en-GB", " en"])
def test_anything_else_is_no_language(code):
    assert not is_language(code)
