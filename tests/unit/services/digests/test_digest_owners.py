"""An owner is a participant or a name in the source, written as it stands there."""

from collections import Counter

import pytest
from digest_fakes import ground, part

from flaskllm.inputs.document import Person
from flaskllm.services.digests.answers import ActionItemAnswer
from flaskllm.services.digests.owners import find_owner, names_several
from flaskllm.services.digests.verify import check_action_items

PEOPLE = (
    Person("Ben Miller", None, "speaker"),
    Person("Sam O'Neill", None, "speaker"),
    Person("Sam Oduya", None, "speaker"),
    Person("Weiss, Clara", "clara@example.com", "to"),
    Person(None, "bob@example.com", "to"),
)
TEXT = (
    "Jorge will bring it, O\u2019Brien helps, and the\ncustoms  office waits."
    " \u674e \u8bf4"
)


@pytest.mark.parametrize(
    ("claim", "owner"),
    [
        ("ben  miller", "Ben Miller"),
        ("Ben", "Ben Miller"),
        ("Sam O\u2019Neill", "Sam O'Neill"),
        ("Sam", None),
        ("Clara Weiss", "Weiss, Clara"),
        ("Clara", "Weiss, Clara"),
        ("clara@example.com", "Weiss, Clara"),
        ("bob@example.com", "bob@example.com"),
        ("Jorge", "Jorge"),
        ("JORGE", "Jorge"),
        ("O'Brien", "O\u2019Brien"),
        ("Jor", None),
        ("customs office", None),
        ("Carl", None),
        ("\u674e", "\u674e"),
        ("", None),
        ("--", None),
    ],
)
def test_an_owner_is_a_participant_or_a_name_in_the_quoted_part(claim, owner):
    made = ground(part(TEXT), people=PEOPLE)
    quoted = made.document.parts[0]

    assert find_owner(claim, quoted, made.texts["p1"], made.document) == owner


TEAM = (
    Person("Robert (Bob) Meier", "r.meier@example.com", "to"),
    Person("Jane Smith (Acme)", None, "speaker"),
    Person("John Sato", "john@example.com", "speaker"),
    Person("Mary Sato", None, "speaker"),
    Person("Dr. Zo\u00eb M\u00fcller", None, "speaker"),
    Person(None, "pia.holt@example.org", "cc"),
)


@pytest.mark.parametrize(
    ("claim", "owner"),
    [
        ("Bob", "Robert (Bob) Meier"),
        ("Bob Meier", "Robert (Bob) Meier"),
        ("Robert Meier", "Robert (Bob) Meier"),
        ("Meier, Robert", "Robert (Bob) Meier"),
        ("Herr Meier", "Robert (Bob) Meier"),
        ("R. Meier", "Robert (Bob) Meier"),
        ("Bob M.", "Robert (Bob) Meier"),
        ("r.meier@", "Robert (Bob) Meier"),
        ("RM", "Robert (Bob) Meier"),
        ("J. Smith", "Jane Smith (Acme)"),
        ("J. Sato", "John Sato"),
        ("Zoe Muller", "Dr. Zo\u00eb M\u00fcller"),
        ("Dr Müller", "Dr. Zo\u00eb M\u00fcller"),
        ("Pia Holt", "pia.holt@example.org"),
        ("P. Holt", None),
        ("Pia", "pia.holt@example.org"),
        ("Sato", None),
        ("JS", None),
        ("rm", None),
        ("Acme", None),
        ("K. Meier", None),
        ("Bobby", None),
    ],
)
def test_a_participant_is_known_by_every_form_that_fits_nobody_else(claim, owner):
    made = ground(part("It is agreed."), people=TEAM)

    assert find_owner(
        claim, made.document.parts[0], "It is agreed.", made.document
    ) == (owner)


@pytest.mark.parametrize("claim", ["I", "me", "ich", "je", "yo", "the speaker"])
def test_i_is_who_speaks_the_turn(claim):
    turn = part("I send it.", "t1", kind="turn", speaker="Jane Smith (Acme)")
    made = ground(turn, people=TEAM)

    assert find_owner(claim, turn, turn.text, made.document) == "Jane Smith (Acme)"


@pytest.mark.parametrize(
    ("kind", "owner"), [("body", "Ada Quist"), ("quoted", None), ("attachment", None)]
)
def test_i_is_the_sender_in_the_body_of_a_mail_only(kind, owner):
    made = ground(part("I send it.", kind=kind))

    assert find_owner("I", made.document.parts[0], "I send it.", made.document) == owner


@pytest.mark.parametrize("claim", ["you", "Sie", "she", "ils", "usted", "You"])
def test_a_pronoun_of_somebody_else_is_nobody_whatever_the_text_holds(claim):
    text = "You, Sie, She, Ils, Usted"
    made = ground(text)

    assert find_owner(claim, made.document.parts[0], text, made.document) is None


def test_two_addresses_under_one_name_are_two_people():
    people = (
        Person("Ann Lee", "ann@a.example", "to"),
        Person("Ann Lee", "ann@b.example", "cc"),
    )
    made = ground("Fine.", people=people)

    assert find_owner("Ann", made.document.parts[0], "Fine.", made.document) is None


@pytest.mark.parametrize(
    "claim",
    ["we", "The team", "wir", "das Team", "l\u2019\u00e9quipe", "todos", "everyone"],
)
def test_a_group_owns_nothing_and_its_task_holds(claim):
    made = ground("We pay it by Friday.")
    told = {"task": "Pay", "owner": claim, "evidence": {"quote": "We pay it"}}
    item = ActionItemAnswer.model_validate(told)

    (found,) = check_action_items([item], made, Counter())

    assert names_several(claim)
    assert (found.owner, found.evidence.verified) == (None, True)
