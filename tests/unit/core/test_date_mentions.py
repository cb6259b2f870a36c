"""Words for days are found in running text, and nothing else is."""

import time
from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rounds import rounds

from flaskllm.core.dates import DateMention, find, resolve

TUESDAY = datetime(2026, 3, 10, 9, 30)
VOCABULARY = (
    "next last this Friday May 4 the of in two weeks ago end month not or and 2026 "
    "24.06. 6/24 nineteenth , . ( ) - at o'clock year day before a tomorrow Q3 week "
    "first hour noon 99 0 2026-06-24"
)
SOUP = st.lists(st.sampled_from(VOCABULARY.split()), max_size=12)


def said(text, language=None):
    return [mention.text for mention in find(text, language)]


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("Could you confirm by Thursday noon?", ["Thursday noon"]),
        ("I'll send it to everyone by Friday.", ["Friday"]),
        (
            "the demo for next Thursday, the nineteenth, two o'clock.",
            ["next Thursday, the nineteenth, two o'clock"],
        ),
        (
            "closed from April third to April sixth for Easter",
            ["April third", "April sixth"],
        ),
        ("It is on 24 June,\nnot 17 June.", ["24 June", "17 June"]),
        (
            "Today is Tuesday the tenth of March.",
            ["Today", "Tuesday the tenth of March"],
        ),
        ("Legal answers on the sixteenth, we decide then.", ["sixteenth"]),
        ("So let's move it to May fourth. Okay?", ["May fourth"]),
        ("3-6 April is closed", ["3-6 April"]),
        ("Ship 2026-06-24 or 6/24/2026, on 6/24.", ["2026-06-24", "6/24/2026", "6/24"]),
        (
            "within 3 days; in two weeks or two weeks ago",
            ["within 3 days", "in two weeks", "two weeks ago"],
        ),
        (
            "next week, at the end of the month, this weekend",
            ["next week", "end of the month", "this weekend"],
        ),
        ("In June, or in Q3, or by the end of 2027", ["June", "Q3", "end of 2027"]),
        ("on Mon. we meet, by Sat 14 March we go", ["Mon", "Sat 14 March"]),
        ("See you tomorrow morning.", ["tomorrow morning"]),
        ("Before Friday? On the 24th.", ["Before Friday", "24th"]),
        ("It is on 24. June. We go.", ["24. June"]),
        ("On the 24. We go on the 26.", ["26."]),
        ("In week 24 it ends.", ["week 24"]),
    ],
)
def test_the_words_of_days_are_found_in_english(text, mentions):
    assert said(text, "en") == mentions


@pytest.mark.parametrize(
    ("language", "text", "mentions"),
    [
        (
            "de",
            "Guten Morgen, heute ist Mittwoch, der vierzehnte Januar.",
            ["heute", "Mittwoch, der vierzehnte Januar"],
        ),
        (
            "de",
            "Bis Montag, den neunzehnten. Sonst nicht.",
            ["Montag, den neunzehnten"],
        ),
        ("de", "Gut, ich rufe heute Nachmittag an.", ["heute Nachmittag"]),
        ("de", "Mach ich, bis Freitag zwölf Uhr.", ["Freitag zwölf Uhr"]),
        ("de", "Bis Mittwoch, 6. Mai, schicke ich es.", ["Mittwoch, 6. Mai"]),
        ("de", "Morgen schicke ich es. Danke, bis morgen.", ["Morgen", "morgen"]),
        (
            "de",
            "So machen wir das. Mi casa, Do it. Wir sehen uns Mo. um 9 Uhr.",
            ["Mo. um 9 Uhr"],
        ),
        ("de", "Am 24.6. geht es los, nicht nach Kapitel 3.5.", ["24.6."]),
        (
            "fr",
            "Nous partons vendredi ou lundi 16 mars. Fin de mois, non.",
            ["vendredi", "lundi 16 mars", "Fin de mois"],
        ),
        ("es", "Lo mando el viernes 13 de marzo.", ["viernes 13 de marzo"]),
        (
            None,
            "Kommt am Freitag, vendredi, viernes!",
            ["Freitag", "vendredi", "viernes"],
        ),
        ("ja", "会議は金曜日と6月24日です", ["金曜日", "6月24日"]),
    ],
)
def test_the_words_of_days_are_found_in_other_languages(language, text, mentions):
    assert said(text, language) == mentions


@pytest.mark.parametrize(
    "text",
    [
        "You may go, we march on.",
        "I sat in the sun.",
        "the second floor, on the second time",
        "on the sixteenth floor",
        "Version 3.5.2 or 10.5.",
        "We can do 1/2.",
        "It's ten past.",
        "one day, every day, the end of the meeting",
        "this and that, the first of many",
        "They have 5 days.",
        "last",
        "by the first.",
        "12",
        "",
        "call 030 1234567",
        "10.0.0.12",
    ],
)
def test_words_that_mostly_mean_something_else_are_not_found(text):
    assert said(text, "en") == []


def test_a_mention_tells_where_it_stands():
    assert find("bis Freitag!", "de") == (DateMention(4, 11, "Freitag"),)


@given(SOUP)
def test_no_words_are_an_error_and_mentions_stand_where_they_say(words):
    text = " ".join(words)

    resolve(text, TUESDAY)
    mentions = find(text)

    assert all(text[each.start : each.end] == each.text for each in mentions)
    assert all(one.end <= other.start for one, other in pairwise(mentions))


LONG = (
    "Okay so we will talk about the launch and by Friday you should have the numbers. "
)
HOSTILE = [
    "may ",
    "end of the ",
    "1 or ",
    "Friday ",
    "May 4 or ",
    ", ",
    "24.06. ",
    "漢",
    "1. ",
    "12/",
    "a-",
    "\n",
    "in in ",
    "3 or 4 May ",
]


@pytest.mark.no_cover
def test_a_hundred_thousand_words_are_searched_in_seconds():
    lines = rounds(1_500, 6_250)
    began = time.process_time()

    assert len(find(LONG * lines, "en")) == lines
    assert time.process_time() - began < rounds(2, 8)


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.no_cover
def test_hostile_text_is_read_in_linear_time(unit):
    length = rounds(20_000, 60_000)
    text = (unit * (length // len(unit)))[:length]
    began = time.process_time()

    find(text)
    resolve(text, TUESDAY)

    assert time.process_time() - began < rounds(3, 8)
