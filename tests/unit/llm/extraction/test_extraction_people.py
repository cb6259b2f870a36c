import pytest

from flaskllm.llm.extraction.people import read_people
from flaskllm.llm.extraction.reading import Sentence

SPEAKERS = ["Maria Lopez", "Dev Patel", "Sam O'Neill", "Sam Oduya", None, "Cher", " "]


@pytest.fixture
def people():
    return read_people(
        Sentence("p", speaker, "text", "en", (), (), 1, True) for speaker in SPEAKERS
    )


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("Dev, can you send it?", "Dev Patel"),
        ("dev patel: please send it", "Dev Patel"),
        ("Okay, so Dev, can you send it?", "Dev Patel"),
        ("Lopez - your turn", "Maria Lopez"),
        ("Can you send it, Cher?", "Cher"),
        ("Sam Oduya, can you look?", "Sam Oduya"),
        ("Sam, can you look?", None),
        ("Can you ask Dev?", None),
        ("Jorge, can you send it?", None),
        ("Dev", None),
    ],
)
def test_a_name_at_the_start_or_end_calls_a_speaker(people, text, called):
    assert people.find_addressed(text) == called


def test_a_whole_name_is_its_bearers_even_when_others_share_a_part():
    people = read_people([], ["Priya Nair", "Priya"])

    assert people.complete("priya") == "Priya"
    assert people.complete("Nair") == "Priya Nair"


def test_a_known_name_is_completed(people):
    assert people.complete("dev") == "Dev Patel"
    assert people.complete("Jorge") == "Jorge"
    assert people.complete("Sam") == "Sam"


def test_all_words_of_their_names_are_known(people):
    assert {"maria", "o", "neill", "oduya", "cher"} <= people.words()
