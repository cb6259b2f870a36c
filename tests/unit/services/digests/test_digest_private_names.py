"""Whoever is known is hidden by each of their names, whatever else these words mean."""

import re
import tracemalloc
from dataclasses import replace

import pytest
from digest_fakes import part
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.inputs.document import Document, Person
from flaskllm.services.digests.everyday_names import (
    ARTICLES,
    COMMON_WORDS,
    FIRMS,
    LABELS,
    MONTHS,
    PARTICLES,
    TITLES,
    name_key,
)
from flaskllm.services.digests.name_forms import read_name
from flaskllm.services.digests.name_places import Names
from flaskllm.services.digests.private_names import names_of, people_of
from flaskllm.services.digests.redaction import Redaction

WORDS = (COMMON_WORDS | MONTHS | PARTICLES | LABELS) - TITLES
LONG = sorted(word for word in WORDS if len(word) > 1)
FIRST = [word for word in LONG if word not in FIRMS | ARTICLES]
SAID = ["{} will send it.", "So, {}: yes.", "I asked {}'s team", "ok {}", "({})"]


def document(*texts, people=(), speakers=()):
    parts = [part(text, f"p{number}") for number, text in enumerate(texts, 1)]
    turns = [part("", f"t{n}", "turn", who) for n, who in enumerate(speakers, 1)]
    persons = [Person(name, None, "to") for name in people]
    return Document("meeting", (*parts, *turns), tuple(persons))


def hide(text, *people, speakers=()):
    redaction = Redaction.of(document(text, people=people, speakers=speakers))
    shown = redaction.hide(text)
    assert redaction.reveal(shown) == text
    return shown


@given(
    st.sampled_from(FIRST),
    st.sampled_from(SAID),
    st.sampled_from([str.capitalize, str.upper]),
    st.sampled_from(["{} Quistberg", "Quistberg, {}", "{}-Ada Quistberg"]),
)
def test_a_first_name_that_is_a_word_is_hidden_wherever_it_has_a_capital(
    word, said, spell, name
):
    text = said.format(spell(word))

    assert "[PERSON_1_FIRST" in hide(text, name.format(word.capitalize()))


@given(
    st.sampled_from([word for word in LONG if word not in FIRMS]),
    st.sampled_from(SAID),
)
def test_a_last_name_that_is_a_word_is_hidden_wherever_it_has_a_capital(word, said):
    text = said.format(word.capitalize())

    assert "[PERSON_1_LAST" in hide(text, f"Adalind {word.capitalize()}")


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("Dev Patel", "the dev branch, Dev", "the dev branch, [PERSON_1_FIRST]"),
        ("Van Morrison", "Van or VAN", "[PERSON_1_FIRST] or [PERSON_1_V2]"),
        ("Thi Le", "Le va bien, le train", "[PERSON_1_LAST] va bien, le train"),
        ("Al", "Al and al dente", "[PERSON_1] and al dente"),
        ("Do Van Le", "Do!", "[PERSON_1_FIRST]!"),
        ("al gore", "Al said", "[PERSON_1_FIRST] said"),
        ("Judith Guest", "Guest is a guest", "[PERSON_1_LAST] is a guest"),
        ("Sig Hansen", "Sig!", "[PERSON_1_FIRST]!"),
        ("Sig. Ada Rossi", "Sig. Rossi", "Sig. [PERSON_1_LAST]"),
        ("Ludwig van Beethoven", "van, Van, Ludwig", "van, Van, [PERSON_1_FIRST]"),
        ("van Gogh, Vincent", "Van Gogh, Van", "Van [PERSON_1_LAST], Van"),
        ("van Gogh", "Van links, Gogh", "Van links, [PERSON_1_LAST]"),
        ("La Redoute", "La Redoute. La vie", "[PERSON_1]. La vie"),
        ("Acme Support", "Support von Acme", "Support von [PERSON_1_FIRST]"),
        ("Will May", "on May 3 and 3 May", "on May 3 and 3 May"),
        ("Will May", "hi will, dear may", "hi [PERSON_1_FIRST], dear [PERSON_1_LAST]"),
        ("Will May", "@will will", "@[PERSON_1_FIRST] will"),
        ("Will May", "i will, he may", "i will, he may"),
        ("Guest (Bo Jansen)", "Bo, a Guest", "[PERSON_1_FIRST], a Guest"),
    ],
)
def test_particles_titles_and_small_letters_are_words(name, text, shown):
    assert hide(text, name) == shown


ROLES = ["Host", "Guest", "Sales", "B", "You", "Customer", "Gast", "Speaker"]
LONGER = ["GUEST 2", "Sales Team", "Speaker A", "Do Not Reply", "Sales and Marketing"]


@pytest.mark.parametrize("label", [*ROLES, *LONGER, "Person 1", "E-Mail", "Persona B"])
def test_what_somebody_does_is_no_name(label):
    text = f"{label} said so. You and the Host sell Sales."

    assert hide(text, speakers=[label]) == text


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("Al Guest", "Guest: Al", "[PERSON_1_LAST]: [PERSON_1_FIRST]"),
        ("M. Kunde", "M. Kunde, Kunde", "[PERSON_1], [PERSON_1_LAST]"),
        ("J. Press", "ask Press", "ask [PERSON_1_LAST]"),
        ("De You", "You: De", "[PERSON_1_LAST]: [PERSON_1_FIRST]"),
        ("Le Gast", "Gast: Le Gast", "[PERSON_1_LAST]: [PERSON_1]"),
        ("Mr Guest", "Mr Guest", "Mr [PERSON_1]"),
        ("Guest 王", "Guest 王: ja", "[PERSON_1]: ja"),
    ],
)
def test_a_particle_a_title_or_an_initial_before_a_label_makes_a_person(
    name, text, shown
):
    assert hide(text, speakers=[name]) == shown


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Łukasz Żak", "Lukasz Zak, LUKASZ, Zak"),
        ("Lukasz Zak", "Łukasz, Żak"),
        ("Bjørn", "Bjorn, Bjoern, BJØRN"),
        ("Bjoern", "Bjørn, bjørn"),
        ("Åse", "Aase, Ase, åse"),
        ("Aase", "Åse, A\u030ase"),
        ("Đorđe", "Dorde, đorđe"),
        ("Işık", "Isik, ışık"),
        ("Kjær", "Kjaer, Kjær"),
        ("Cœur", "Coeur"),
        ("Guðrún Þórsdóttir", "Gudrun, Thorsdottir"),
        ("Pat O'Brien", "OBrien, Pat O’Brien, obrien"),
        ("Ann McDonald-De Souza", "DeSouza, Souza"),
        ("กิ๊ก", "กิ๊ก"),
        ("ศิริ", "คุณศิริ"),
        ("สมศักดิ์ ใจดี", "สมศักดิ์ ใจดี, สมศักดิ์, ใจดี, สมศักดิ์ใจดี"),
        ("रीति", "रीति"),
        ("किरण शर्मा", "किरण शर्मा, शर्मा, किरण"),
        ("ரவி குமார்", "ரவி, குமார்"),
        ("অনির্বাণ", "অনির্বাণ"),
        ("ဇော်မြင့်", "ဇော်မြင့်"),
        ("عَلِي", "عَلِي"),
    ],
)
def test_no_letter_of_a_name_is_left_whatever_its_script(name, text):
    rest = re.sub(r"\[PERSON_1\w*\]|คุณ|[\s,]", "", hide(text, name))

    assert rest == ""


@pytest.mark.parametrize(
    ("names", "text", "shown"),
    [
        (["田中 太郎"], "田中さんと太郎", "[PERSON_1_FIRST]さんと[PERSON_1_LAST]"),
        (["田中 太郎"], "田中太郎です", "[PERSON_1_JOINED]です"),
        (["田中 太郎", "田中 花"], "田中さん", "[PERSON_3]さん"),
        (["王伟", "王伟明"], "王伟明和王 伟", "[PERSON_2]和[PERSON_1_V2]"),
        (["Wang Wei 王伟"], "请王伟做", "请[PERSON_1_LAST]做"),
        (["김 민준"], "민준은", "[PERSON_1_LAST]은"),
        (["ガガ"], "ガガさん", "[PERSON_1]さん"),
    ],
)
def test_names_without_spaces_are_found_in_running_text(names, text, shown):
    assert hide(text, *names) == shown


def test_a_mailbox_names_nobody_and_an_address_of_a_person_does():
    people = (Person(None, "dev@x.example", "to"), Person(None, "al@x.example", "to"))

    assert people_of(Document("email", (), people)) == ("al",)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Prof. Dr. Vera Dahl", ("vera", "dahl")),
        ("Ing. Mario Rossi", ("mario", "rossi")),
        ("Ing Chen", ("ing", "chen")),
        ("Frau Müller", ("muller",)),
        ("Dr", ("dr",)),
        ("Łukasz Żak", ("lukasz", "zak")),
    ],
)
def test_owners_and_redaction_read_the_same_titles(name, words):
    assert read_name(name).every == words
    assert tuple(map(name_key, people_of(document(people=[name]))[0].split())) == words


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("I will be in in May. Will will send it.", ". "),
        ("MAY or Mr. May. Will", ". "),
        ("in May.\nWill comes", ".\n"),
    ],
)
def test_no_name_goes_on_behind_the_end_of_a_sentence(text, gap):
    shown = Redaction(
        names_of(Document("email", (), (Person("Will May", None, "to"),)))
    )

    assert f"]{gap}[" in shown.hide(text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("W. May", "W. May"),
        ("Tom R. May", "Tom R. May"),
        ("May, Will", "May, Will"),
        ("Dr. May", "Dr. May"),
        ("Will May", "Will.May"),
    ],
)
def test_a_full_stop_behind_a_letter_or_within_is_part_of_a_name(name, text):
    document = Document("email", (), (Person(name, None, "to"),))
    shown = Redaction(names_of(document)).hide(text)

    assert shown.removeprefix("Dr. ").startswith("[PERSON_1")
    assert shown.count("]") == 1


class Counting(dict):
    """Counts how often it is asked."""

    asked = 0

    def __contains__(self, key):
        self.asked += 1
        return super().__contains__(key)


def test_a_crowd_of_one_first_name_is_asked_for_once_a_word():
    letters = "abcdefghij"
    lasts = [f"Qui{a}{b}{c}" for a in letters for b in letters for c in letters]
    names = names_of(document(people=[f"Anna {last}" for last in lasts]))
    phrases = Counting(names.phrases)

    found = list(replace(names, phrases=phrases).find("Anna Quiaaa and Anna. " * 200))

    assert len(found) == 400
    assert phrases.asked <= 800


@pytest.mark.parametrize("name", ["किरण शर्मा", "สมศักดิ์ ใจดี", "Łukasz Żak", "Bo J."])
def test_who_is_told_in_a_quoted_header_is_known_in_any_script(name):
    told = document(f"Von: {name} <x@x.example>")

    assert people_of(told) == (name.rstrip("."),)


def test_a_crowd_of_names_without_spaces_is_looked_for_a_bounded_time_a_sign():
    names = names_of(document(people=["一" * n + "丁" for n in range(1, 24)]))
    unspaced = Counting(names.unspaced)

    found = list(replace(names, unspaced=unspaced).find("一" * 1000 + "丁"))

    assert [name.end - name.start for name in found] == [24]
    assert unspaced.asked <= 24 * 1001


def test_of_a_name_longer_than_any_its_beginning_is_hidden():
    long = "一二三四五六七八九十" * 3

    assert hide(long, long) == f"[PERSON_1_V2]{long[24:]}"
    assert hide(f"{long[:20]}{long[5:]}", f"{long[:20]} {long[5:25]}") == (
        f"[PERSON_1_FIRST][PERSON_1_LAST]{long[25:]}"
    )


def test_looking_for_names_without_spaces_takes_few_bytes_a_sign():
    names, text = names_of(document(people=["王伟"])), "一" * 20_000
    tracemalloc.start()
    try:
        assert list(names.find(text)) == []
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most_bytes < 40 * len(text)


def test_no_word_of_a_document_is_kept_for_the_process():
    assert not hasattr(name_key, "cache_info")


def test_of_too_many_names_those_of_the_text_are_left_out():
    letters = "abcdefghijklmnopqrstuvwxyz"
    crowd = [f"Q{a}{b}{c}q" for a in letters for b in letters for c in letters]
    text = ", ".join(f"{name} <x@x.example>" for name in crowd)

    people = people_of(document(text, people=["Ada Quist"], speakers=["Ben Ito"]))

    assert len(people) == 10_000
    assert people[:2] == ("Ada Quist", "Ben Ito")


class Watched:
    """Names that remember which texts were looked through."""

    people = ("Anna",)

    def __init__(self):
        self.texts = []

    def find(self, text):
        self.texts.append(text)
        return Names(words={"anna": (0, "")}).find(text)


def test_what_was_hidden_once_is_not_looked_through_again():
    names = Watched()
    parts = [f"Point {n} is what Anna said. The end of it." for n in "abcdef"]
    redaction = Redaction(names, parts)
    pieces = [f"[t{n} | Anna]\n{text}" for n, text in enumerate(parts)]

    alone = [redaction.hide(piece) for piece in pieces]
    together = redaction.hide("\n\n".join(pieces))

    assert together == "\n\n".join(alone)
    assert len(names.texts) == len(set(names.texts))
