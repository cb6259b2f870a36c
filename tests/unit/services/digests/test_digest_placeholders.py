"""Placeholders that a model spells anew are read as what they stand for."""

import pytest
from digest_fakes import part
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.inputs.document import Document, Person
from flaskllm.services.digests.placeholders import ending_for, pattern_for
from flaskllm.services.digests.redaction import Redaction

SOURCE = "Ada Quist; Ada; Quist: ada@x.example, +49 151 23456789, 471188997"
REDACTION = Redaction.of(
    Document("email", (part(SOURCE, "p1"),), (Person("Ada Quist", None, "to"),))
)
PERSON = [
    "[Person_1]",
    "[PERSON_1]",
    "PERSONNE_1",
    "[PERSONNE_1]",
    "[PERSONA_1]",
    "[persona 1]",
    "【PERSON_1】",
    "［PERSON＿１］",
    "〔Person 1〕",
    "{PERSON_1}",
    "<PERSON_1>",
    "[PERSON 1]",
    "[PERSON-1]",
    "PERSON-1",
    "PERSON_1",
    "[PERSON1]",
    "[PERSON#1]",
    "[Person #1]",
    "[Person Nr. 1]",
    "[Person No. 1]",
    "[Personne n° 1]",
    "[Personne n°1]",
    "[Persona n.º 1]",
    "[Persona núm. 1]",
    "[PERSON_１]",
    "[PERSON_01]",
    r"\[PERSON\_1\]",
    "[ PERSON_1 ]",
    "[PERSON\u00a01]",
]
OTHERS = [
    ("[E-MAIL_1]", "ada@x.example"),
    ("[E-Mail 1]", "ada@x.example"),
    ("[COURRIEL_1]", "ada@x.example"),
    ("[Correo 1]", "ada@x.example"),
    ("[TELEFON_1]", "+49 151 23456789"),
    ("[TÉLÉPHONE_1]", "+49 151 23456789"),
    ("[téléphone_1]", "+49 151 23456789"),
    ("[TELÉFONO_1]", "+49 151 23456789"),
    ("[Nummer 1]", "471188997"),
    ("[NUMÉRO_1]", "471188997"),
    ("NUMERO_1", "471188997"),
    ("[Person_1_Vorname]", "Ada"),
    ("[PERSONNE_1_PRÉNOM]", "Ada"),
    ("[PERSONNE_1_NOM]", "Quist"),
    ("[PERSONA_1_APELLIDO]", "Quist"),
    ("PERSON-1-LAST", "Quist"),
    ("PERSON_1_Nachname", "Quist"),
    ("[PERSON_1's]", "Ada Quist's"),
    ("[Person_1_Nachname’s]", "Quist’s"),
    (r"\[PERSON\_1'\]", "Ada Quist'"),
]


@pytest.mark.parametrize(("said", "word"), [(s, "Ada Quist") for s in PERSON] + OTHERS)
def test_other_spellings_come_back(said, word):
    assert REDACTION.reveal(f"So {said} pays.") == f"So {word} pays."


UNKNOWN = ["[PERSONNE_7]", "【PERSON_7】", "[Nummer_7]", "TELEFON_7", "[Person#７]"]


@pytest.mark.parametrize("said", UNKNOWN)
def test_an_unknown_number_is_taken_out_and_counted(said):
    revealed = REDACTION.reveal_json([f"Ask {said}."])

    assert revealed.value == ["Ask ."]
    assert revealed.unknown == 1


PLAIN = "person-1 (Person#1) [see#1] Nr.1 PERSONAL_1 EMAILS_1 [1] [PERSON] PERSON-A"


@pytest.mark.parametrize(
    "said", [*PLAIN.split(), "Person 1", "numero 1", "mail 1", "(Person 1)"]
)
def test_plain_language_stays(said):
    assert REDACTION.reveal(f"So {said} pays.") == f"So {said} pays."


@given(
    st.lists(
        st.sampled_from([*PERSON, *(said for said, _ in OTHERS), "PERSONB_1", "Ada"])
        | st.sampled_from("[]{}<>\\_-# 1é"),
        max_size=8,
    ).map("".join)
)
def test_a_text_full_of_spellings_comes_back_exactly(text):
    people = (Person("Ada Quist", None, "to"),)
    redaction = Redaction.of(Document("email", (part(text, "p1"),), people))

    assert redaction.reveal(redaction.hide(text)) == text


def test_endings_are_found_in_one_pass():
    texts = [" ".join(f"PERSONQ{n}Q_1 [EMAIL{c} 1]" for c in "ABC") for n in range(500)]
    taken = [f"NUMBER{chr(n)}_1" for n in range(ord("A"), ord("Z") + 1)]

    assert ending_for([*texts, *taken, "[Persona 1]"]) == "Q500Q"


def test_a_long_run_of_beginnings_is_read_in_time():
    pattern = pattern_for("")

    assert pattern.sub("", "[PERSON n" * 20_000) == "[PERSON n" * 20_000
