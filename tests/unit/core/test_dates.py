"""Words for days are resolved to every day that they can mean."""

from datetime import date, datetime, timedelta, timezone

import pytest
from date_cases import ALL, ENGLISH
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core import date_lexicon
from flaskllm.core.date_words import TABLES
from flaskllm.core.dates import resolve

TUESDAY = datetime(2026, 3, 10, 9, 30, tzinfo=timezone(timedelta(hours=-5)))


def days(iso):
    """Return the days of "03-13 03-20" (this year), "2027-01-01" or "03-16..03-22"."""
    found = set()
    for word in iso.split():
        first, _, last = word.partition("..")
        day = parse(first)
        while day <= parse(last or first):
            found.add(day)
            day += timedelta(days=1)
    return found


def parse(iso):
    return date.fromisoformat(iso if len(iso) > 5 else f"2026-{iso}")


@pytest.mark.parametrize(("language", "words", "wanted"), ALL)
def test_words_mean_every_day_that_they_can_mean(language, words, wanted):
    assert resolve(words, TUESDAY, language) == days(wanted)


@pytest.mark.parametrize(("words", "wanted"), ENGLISH.items())
def test_english_is_understood_whatever_the_language(words, wanted):
    assert resolve(words, TUESDAY) == days(wanted)


@pytest.mark.parametrize(
    "words",
    [
        "bis Freitag",
        "vendredi",
        "viernes",
        "venerdì",
        "vrijdag",
        "sexta-feira",
        "fredag",
        "do piątku",
        "perjantaina",
    ],
)
def test_all_languages_are_read_when_none_is_given_or_a_wrong_one(words):
    assert resolve(words, TUESDAY) == days("03-13")
    assert resolve(words, TUESDAY, "en") == days("03-13")
    assert resolve(words, TUESDAY, "ja") == days("03-13")


@pytest.mark.parametrize(
    "words",
    [
        "",
        "?!",
        "as soon as possible",
        "before the pilot",
        "we may do it",
        "next",
        "12",
        "after Friday",
        "not before Friday",
        "Friday 13 June",
        "Friday 2026-06-24",
        "tomorrow, Friday",
        "30 February",
        "13/13/2026",
        "99.99.2026",
        "2026-02-30",
        "32 May",
        "in 99999999 years",
        "in 9000 years",
        "in 6000 days",
        "week 53 2027",
        "2027",
        "a week",
        "0 May",
        "the third week",
        "every day",
        "half past two",
        "next Thursday, the fifth",
    ],
)
def test_words_that_mean_no_day_or_contradict_themselves_mean_none(words):
    wanted = days("03-17") if words == "a week" else set()

    assert resolve(words, TUESDAY) == wanted


@pytest.mark.parametrize(
    ("reference", "words", "language", "due"),
    [
        ("2026-03-10", "by Friday", "en", "2026-03-13"),
        (
            "2026-03-10",
            "next Thursday, the nineteenth, two o'clock",
            "en",
            "2026-03-19",
        ),
        ("2026-01-14", "heute Nachmittag", "de", "2026-01-14"),
        ("2026-01-14", "bis Freitag", "de", "2026-01-16"),
        ("2026-01-14", "Bis Montag, den neunzehnten", "de", "2026-01-19"),
        ("2026-06-09", "by Thursday noon", "en", "2026-06-11"),
        ("2026-06-09", "24 June,\nnot 17 June", "en", "2026-06-24"),
        ("2026-05-04", "Bis Mittwoch, 6. Mai", "de", "2026-05-06"),
    ],
)
def test_the_due_dates_of_the_planted_samples_follow_from_their_words(
    reference, words, language, due
):
    said = datetime.fromisoformat(reference)
    day = date.fromisoformat(due)

    assert day in resolve(words, said, language)
    assert day in resolve(words, said)
    assert day + timedelta(days=1) not in resolve(words, said, language)


def test_days_are_counted_in_the_zone_of_the_reference():
    late = datetime(2026, 3, 10, 23, 30, tzinfo=timezone(timedelta(hours=-8)))

    assert resolve("tomorrow", late) == days("03-11")
    assert resolve("in 2 hours", late) == days("03-11")


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        (datetime(1, 1, 2), "3 weeks ago"),
        (datetime(1, 1, 2), "24 June"),
        (datetime(9999, 12, 30), "in 3 weeks"),
        (datetime(9999, 12, 30), "24 June"),
        (datetime(9999, 12, 30), "next month"),
    ],
)
def test_the_ends_of_the_calendar_are_no_error(reference, words):
    assert resolve(words, reference) == set()


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)),
    st.dates(date(1990, 1, 1), date(2090, 1, 1)),
)
def test_a_full_date_means_itself_in_every_form(reference, day):
    forms = [
        "%Y-%m-%d",
        "%d.%m.%Y",
        "%d %B %Y",
        "%B %d, %Y",
        "%A, %d %b %Y",
        "%d/%m/%Y",
    ]
    for form in forms:
        assert day in resolve(day.strftime(form), reference)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)), st.integers(0, 59))
def test_a_date_without_a_year_is_near(reference, offset):
    for day in (
        reference.date() + timedelta(offset),
        reference.date() - timedelta(offset),
    ):
        assert day in resolve(f"{day:%d %B}", reference)
        wrong = day + timedelta(days=1)
        assert day not in resolve(f"{wrong:%A} {day:%d %B}", reference)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)), st.integers(0, 6))
def test_a_weekday_is_never_past(reference, weekday):
    name = f"{date(2026, 3, 9) + timedelta(weekday):%A}"

    for words in (f"by {name}", f"this {name}", f"next {name}"):
        found = resolve(words, reference)
        assert found
        assert all(day >= reference.date() for day in found)
        assert all(day.weekday() == weekday for day in found)


@pytest.mark.parametrize("language", TABLES)
def test_every_phrase_of_a_language_is_understood(language):
    lists = {"numbers", "ordinals", "glued", "weak"}
    lexicon = date_lexicon.lexicon(language, only=True)
    for meaning, phrases in TABLES[language].items():
        for phrase in phrases.split("|") if meaning not in lists else ():
            words = date_lexicon.split_words(phrase)
            assert any(entry.words == words for entry in lexicon[words[0]]), phrase


def test_each_of_our_languages_knows_its_months_and_weekdays():
    for language in TABLES:
        known = date_lexicon.lexicon(language, only=True)
        meanings = {
            entry.meanings[0] for entries in known.values() for entry in entries
        }
        assert {("month", n, "") for n in range(1, 13)} <= meanings
        assert {("weekday", n, "") for n in range(7)} <= meanings
