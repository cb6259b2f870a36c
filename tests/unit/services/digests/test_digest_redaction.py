"""What names somebody is hidden from a model, and comes back exactly."""

import json
import string

import pytest
from digest_fakes import part
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.inputs.document import Document, Person
from flaskllm.services.digests.name_places import Names
from flaskllm.services.digests.private_names import names_of
from flaskllm.services.digests.redaction import Redaction

ANNA = Person("Anna-Maria Smith", "anna.smith@acme.example", "from")
BOB = Person("Meyer, Bob (Sales)", "bob@acme.example", "to")


def document(*texts, people=(ANNA, BOB), speakers=()):
    parts = [part(text, f"p{number}") for number, text in enumerate(texts, 1)]
    turns = [part("", f"t{n}", "turn", who) for n, who in enumerate(speakers, 1)]
    return Document("email", (*parts, *turns), tuple(people))


def redact(text, names=(), **given):
    return Redaction.of(document(text, **given), names)


def hidden(text, names=(), **given):
    """Return a text with placeholders, having looked that it comes back."""
    redaction = redact(text, names, **given)
    shown = redaction.hide(text)
    assert redaction.reveal(shown) == text
    return shown


SECRETS = [
    "ada@example.com",
    "O'Neil.x+y@mail.example.co.uk",
    "+49 151 23456789",
    "06 12 34 56 78",
    "612 345 678",
    "(212) 555-0187",
    "0151/2345678",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "86095742719",
    "123-45-6789",
    "12345678Z",
    "471188997",
    "4711-8899-2233",
    "KD00471188997",
    "20251399",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "around",
    ["Call {} now", "<{}>", "x\n{}\ny", "mailto:{}", "https://a.example/?q={}"],
)
def test_addresses_and_numbers_are_hidden_whole(secret, around):
    shown = hidden(around.format(secret))

    assert secret not in shown
    assert "_1]" in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Account 3702 0044 0532 0130 00 will do.", "Account [NUMBER_1] will do."),
        ("DE88 3702 0044 0532 0130 00 will do.", "[NUMBER_1] will do."),
        ("No. 3702-0044-0532-0130 is it.", "No. [NUMBER_1] is it."),
        ("Call 0044 20 7946 0018 now", "Call [PHONE_1] now"),
        ("Call +44 (0)20 7946 0018 now", "Call [PHONE_1] now"),
        ("On 14.03.2025 0044 20 7946 0018", "On 14.03.2025 [PHONE_1]"),
    ],
)
def test_a_longer_group_of_digits_is_hidden_whole(text, shown):
    assert hidden(text) == shown


@pytest.mark.parametrize(
    "link",
    [
        "https://x.example/?u={}&n=1",
        "x.example/?u={}&n=1",
        "https://x.example/leave/{}",
        "www.x.example/leave/{}/now",
        "https://{}/",
    ],
)
def test_of_a_link_that_holds_an_address_only_that_is_hidden(link):
    assert hidden(link.format("ben.ito@example.com")) == link.format("[EMAIL_1]")


def test_an_address_outside_of_links_is_hidden_with_all_its_signs():
    assert hidden("Ask a/b=c@example.com") == "Ask [EMAIL_1]"


@pytest.mark.parametrize(
    "fact",
    [
        "14.03.2025",
        "2025-03-14 10:30",
        "14.03.2025 10.30",
        "20250314",
        "20250314T093000Z",
        "03/14/2025",
        "EUR 12.500,00",
        "1250000 EUR",
        "12.500.000",
        "1 234 567 €",
        "10:00-11:30",
        "42 %",
        "Number 3 on the list",
        "2024-2026",
        "1 2 3 4 5 6 7 8 9",
    ],
)
def test_numbers_that_carry_facts_stay(fact):
    assert hidden(f"It is {fact}, we said.") == f"It is {fact}, we said."


def test_the_same_value_has_the_same_placeholder_all_through():
    first = hidden("a@x.example, b@x.example, a@x.example and 0151 23456789")

    assert first == "[EMAIL_1], [EMAIL_2], [EMAIL_1] and [PHONE_1]"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Anna-Maria Smith writes", "[PERSON_1] writes"),
        ("Smith, Anna-Maria", "[PERSON_1_V2]"),
        ("Anna will", "[PERSON_1_FIRST] will"),
        ("Maria will", "[PERSON_1_MIDDLE1] will"),
        ("Mr. Meyer's plan", "Mr. [PERSON_2_LAST]'s plan"),
        ("Meyer, Bob and Bob Meyer", "[PERSON_2] and [PERSON_2_V2]"),
        ("Annas Idee, bobs auch", "[PERSON_1_FIRST]s Idee, [PERSON_2_FIRST]s auch"),
        ("SMITH and smith", "[PERSON_1_LAST] and [PERSON_1_V2]"),
        ("@bobmeyer", "@[PERSON_2_JOINED]"),
        ("anna_smith.pdf", "[PERSON_1_FIRST]_[PERSON_1_LAST].pdf"),
        ("Annalisa, Smithson and Bobcat", "Annalisa, Smithson and Bobcat"),
        ("sales and Sales", "sales and Sales"),
    ],
)
def test_names_are_hidden_in_their_forms(text, shown):
    assert hidden(text) == shown


def test_a_first_name_of_two_people_stands_for_none_of_them():
    people = (Person("Anna Smith", None, "to"), Person("Anna Jones", None, "to"))

    shown = hidden("Anna, Anna Smith, Jones", people=people)

    assert shown == "[PERSON_3], [PERSON_1], [PERSON_2_LAST]"


def test_someone_known_by_a_first_name_alone_keeps_it():
    for people in (
        (ANNA, Person("Anna", None, "to")),
        (Person("Anna", None, "to"), ANNA),
    ):
        shown = hidden("Anna! Anna-Maria Smith", people=people)

        one, two = sorted((1, 2), key=lambda n: people[n - 1] is ANNA)
        assert shown == f"[PERSON_{one}]! [PERSON_{two}]"


def test_the_operator_and_quoted_headers_add_names():
    text = "Ask Falk.\n> From: Carla Rossi <carla@z.example>\nCarla knows."

    shown = hidden(text, names=["Jürgen Falk"])

    assert not {"Falk", "Carla", "Rossi"} & set(shown.replace("[", " ").split())
    assert "Please write to Bo" in hidden("Please write to Bo <b@x.example>")
    assert hidden("Tel. 42", names=["42"], people=()) == "Tel. 42"


@pytest.mark.parametrize(
    "spelling", ["Müller", "Mueller", "MULLER", "müller", "Mu\u0308ller"]
)
@pytest.mark.parametrize("known", ["Jörg Müller", "Jörg Mueller", "Jorg Muller"])
def test_accents_and_umlauts_hide_nobody(spelling, known):
    assert "[PERSON_1" in hidden(f"Herr {spelling}!", names=[known], people=())


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("Will Young", "will you? Will!", "will you? [PERSON_1_FIRST]!"),
        ("June Park", "June 14, 3. June, June 2026", "June 14, 3. June, June 2026"),
        ("June Park", "June said", "[PERSON_1_FIRST] said"),
        ("王伟", "请王伟做", "请[PERSON_1]做"),
        ("Dr. Vera Dahl", "Dr. Vera Dahl", "Dr. [PERSON_1]"),
        ("Speaker 1", "Speaker 1 speaks", "Speaker 1 speaks"),
        (
            "Robert (Bob) Meier",
            "Bob: Robert Meier",
            "[PERSON_1_MIDDLE1]: [PERSON_1_V2]",
        ),
        ("Lou de la Cruz", "de la cruz Cruz", "de la cruz [PERSON_1_LAST]"),
    ],
)
def test_names_that_are_words_too(name, text, shown):
    assert hidden(text, names=[name], people=()) == shown


def test_an_address_says_a_name_where_nobody_else_does():
    people = (
        Person(None, "vera.dahl@x.example", "to"),
        Person("Ida Lund", "ilund@x.example", "cc"),
        Person("Acme", "parcels@x.example", "cc"),
        Person(None, "info@x.example", "cc"),
    )

    shown = hidden("Vera, Dahl, ilund, Ida, parcels, info", people=people)

    assert not {"Vera", "Dahl", "ilund", "Ida"} & set(shown.replace(",", "").split())
    assert shown.endswith("parcels, info")


@pytest.mark.parametrize(
    "said",
    ["PERSON_1", "[person_1]", "[PERSON 1]", "[ PERSON-1 ]", r"\[PERSON\_1\]"],
)
def test_placeholders_come_back_as_models_write_them(said):
    assert redact("x").reveal(f"{said} pays") == "Anna-Maria Smith pays"


@pytest.mark.parametrize(
    ("said", "revealed"),
    [
        ("PERSON_1s plan", "Anna-Maria Smiths plan"),
        ("[PERSON_1_first]", "Anna-Maria Smith"),  # it stands nowhere in the text
        ("PERSON_1_SAYS", "Anna-Maria Smith_SAYS"),
        ("[see PERSON_1]", "[see Anna-Maria Smith]"),
        ("person 1, number 3", "person 1, number 3"),
        ("XPERSON_1 PERSON_1x", "XPERSON_1 PERSON_1x"),
    ],
)
def test_what_is_near_a_placeholder_stays(said, revealed):
    assert redact("x").reveal(said) == revealed


def test_a_placeholder_that_was_never_given_out_is_taken_out_and_counted():
    said = {"owner": "[PERSON_99]", "text": ["Ask [EMAIL_7] or [PERSON_1]", 5, None]}

    revealed = redact("x").reveal_json(said)

    assert revealed.value == {
        "owner": "",
        "text": ["Ask  or Anna-Maria Smith", 5, None],
    }
    assert revealed.unknown == 2


@pytest.mark.parametrize(
    "text",
    [
        "[PERSON_1] wrote",
        "person_1",
        "[EMAIL-3]",
        "7EMAIL_2",
        r"\[PHONE\_2\]",
        "NUMBER_9",
    ],
)
def test_a_text_that_looks_like_placeholders_gets_others(text):
    redaction = redact(f"{text}, says Anna")

    assert redaction.hide(f"{text}, says Anna") == f"{text}, says [PERSONA_1_FIRST]"
    assert redaction.reveal(text) == text
    assert "[PERSONA_1]" in redaction.note


def test_endings_never_run_out():
    text = " ".join(f"PERSON{letter}_1" for letter in ["", *string.ascii_uppercase])

    assert redact(text).hide("Anna") == "[PERSONQ0Q_1_FIRST]"


def test_values_of_json_are_hidden_and_names_of_fields_are_not():
    redaction = redact("x")
    line = {"by": "Anna", "of": ["a\nBob", 7, True, {"bob": None}]}

    shown = redaction.hide_lines(f"{json.dumps(line)}\n{json.dumps(line)}")

    of = ["a\n[PERSON_2_FIRST]", 7, True, {"bob": None}]
    expected = {"by": "[PERSON_1_FIRST]", "of": of}
    assert [json.loads(each) for each in shown.splitlines()] == [expected, expected]


def test_of_a_schema_only_what_is_said_is_hidden():
    redaction = redact("x", ["Masamune Date"])
    name = {"type": "string", "format": "date", "description": "Of Date or a@x.example"}
    schema = {"properties": {"smith": name}, "required": ["smith"], "enum": ["Bob", 1]}

    shown = redaction.hide_schema(schema)

    assert shown["enum"] == ["[PERSON_2_FIRST]", 1]
    assert shown["required"] == ["smith"]
    assert shown["properties"]["smith"] == {
        **name,
        "description": "Of [PERSON_3_LAST] or [EMAIL_1]",
    }


def test_many_people_take_no_long_time():
    people = tuple(Person(f"Xa{n} Yo{n}", f"q{n}@x.example", "to") for n in range(3000))
    names = names_of(document("x", people=people))

    found = list(names.find("nobody is named here " * 20_000))

    assert found == []


PIECES = st.sampled_from(
    ["[", "]", "_", "\\", "PERSON", "_1", "EMAIL_2", "Anna", "smith", "[person_1]"]
) | st.sampled_from(SECRETS)


@given(st.lists(PIECES | st.text(max_size=4), max_size=25).map("".join))
def test_what_is_hidden_comes_back_exactly(text):
    redaction = Redaction(names_of(document(text)), (text,))

    assert redaction.reveal(redaction.hide(text)) == text


@given(st.text(max_size=80))
def test_without_names_any_text_comes_back_exactly(text):
    redaction = Redaction(Names(), (text,))

    assert redaction.reveal(redaction.hide(text)) == text
