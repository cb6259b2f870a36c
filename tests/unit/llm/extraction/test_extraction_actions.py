import pytest

from flaskllm.core.dates import DateMention
from flaskllm.llm.extraction.actions import find_actions, find_decisions
from flaskllm.llm.extraction.reading import Sentence
from flaskllm.llm.extraction.words import count_words, find_terms


def say(text, speaker="Ann Lee", *, dates=(), language="en", shown=True):
    starts = [(text.index(words), words) for words in dates]
    return Sentence(
        part="t1",
        speaker=speaker,
        text=text,
        language=language,
        terms=tuple(find_terms(text, language)),
        mentions=tuple(DateMention(at, at + len(words), words) for at, words in starts),
        length=count_words(text),
        shown=shown,
    )


def tasks(*sentences):
    return [(action.owner, action.sentence.text) for action in find_actions(sentences)]


def due_text(text, *dates, language="en"):
    (action,) = find_actions([say(text, dates=dates, language=language)])
    return action.due_text


@pytest.mark.parametrize(
    "text",
    [
        "Bob, could you check the logs?",
        "Okay, Bob, please check the logs.",
        "Could you check the logs, Bob?",
    ],
)
def test_who_is_addressed_by_name_owns_the_task(text):
    assert tasks(say(text), say("Hello.", "Bob Ray")) == [("Bob Ray", text)]


def test_a_name_that_two_share_owns_nothing():
    text = "Bob, could you check the logs?"

    assert tasks(say(text), say("Hi.", "Bob Ray"), say("Hi.", "Bob Orr")) == [
        (None, text)
    ]


def test_an_assigned_speaker_is_named_in_full():
    text = "Bob will send the offer."

    assert tasks(say(text), say("Hi.", "Bob Ray")) == [("Bob Ray", text)]


OPENED = [
    ("en", "Okay, Sam will renew the certificate by Thursday.", "Sam"),
    ("en", "Well, Bob will call the supplier.", "Bob"),
    ("en", "Okay Sam will send the offer.", "Sam"),
    ("en", "So, as we said, Sam will send the offer.", "Sam"),
    ("en", "Right - Sam will send the offer.", "Sam"),
    ("en", "Hm... Sam will send the offer.", "Sam"),
    ("en", "Anna: Sam will send the offer.", "Sam"),
    ("en", "On Friday, Sam Oduya will send the offer.", "Sam Oduya"),
    ("en", "Yes, well, Bob is going to check the logs.", "Bob"),
    ("de", "Okay, Sam wird das Angebot bis Donnerstag schicken.", "Sam"),
    ("de", "Gut, Anna-Lena schickt das Angebot.", "Anna-Lena"),
    ("de", "Also, Bernd soll das Zertifikat prüfen.", "Bernd"),
    ("de", "Na gut, Bernd bestellt die Rechner.", "Bernd"),
    ("de", "Also Bernd bestellt die Rechner.", "Bernd"),
]


@pytest.mark.parametrize(("language", "text", "owner"), OPENED)
def test_the_name_that_opens_a_clause_is_only_the_name(language, text, owner):
    assert tasks(say(text, language=language)) == [(owner, text)]


ADDRESSED = [
    ("en", "Priya, please send the contract by Friday.", "Priya Nair"),
    ("en", "Priya Nair, could you send the contract?", "Priya Nair"),
    ("en", "Hi Priya, could you send the contract?", "Priya Nair"),
    ("en", "Okay, Priya will send the contract.", "Priya Nair"),
    ("de", "Jonas, schick bitte das Angebot bis Freitag.", "Weber, Jonas"),
    ("de", "Jonas, schick mir bitte das Angebot.", "Weber, Jonas"),
    ("de", "Jonas, kannst du das Angebot prüfen?", "Weber, Jonas"),
    ("en", "Kim, please send the contract.", None),
    ("en", "Kim Ray, please send the contract.", "Kim Ray"),
    ("en", "Zoe, please send the contract.", None),
]


@pytest.mark.parametrize(("language", "text", "owner"), ADDRESSED)
def test_whoever_belongs_to_the_document_can_be_addressed(language, text, owner):
    people = ("Priya Nair", "priya nair", "Weber, Jonas", "Kim Ray", "Kim Orr", "")

    (action,) = find_actions([say(text, None, language=language)], people)

    assert action.owner == owner


@pytest.mark.parametrize(
    "text",
    [
        "Ann, Bob, and Cid will send the offer.",
        "Okay, the office will send the offer.",
        "Okay, so will send the offer.",
        "The new office will send the offer.",
        "Everybody will send the offer.",
        "A b c d will send the offer.",
        "will send the offer",
    ],
)
def test_only_a_short_name_can_be_assigned(text):
    assert tasks(say(text)) == []


@pytest.mark.parametrize(
    "reply", ["No, sorry.", "I can't this week.", "Sorry, I can't."]
)
def test_what_the_one_who_was_asked_refuses_is_no_task(reply):
    asked = say("Bob, could you check the logs?")

    assert tasks(asked, say("Um."), say(reply, "Bob Ray")) == []


def test_what_somebody_else_refuses_stays():
    asked = say("Bob, could you check the logs?")
    hello, no = say("Sure.", "Bob Ray"), say("No.", "Cid")

    assert len(tasks(asked, no, hello)) == 1


def test_a_reply_in_a_language_without_cues_refuses_nothing():
    asked = say("Bob, could you check the logs?")

    assert len(tasks(asked, say("No.", "Bob Ray", language="kl"))) == 1


def test_the_last_task_of_who_takes_it_back_goes():
    first = say("I'll send the forecast to finance.")
    second = say("I will update the wiki page.")
    other = say("I'll book the vendor demo.", "Bob")

    left = tasks(first, second, other, say("Okay, scrap that."))

    assert left == [("Ann Lee", first.text), ("Bob", other.text)]


def test_nothing_is_taken_back_that_was_said_long_ago():
    promise = say("I'll send the forecast to finance.")
    filler = [say(f"Number {n}.") for n in range(9)]

    assert len(tasks(promise, *filler, say("Never mind."))) == 1


def test_nothing_is_taken_back_for_others():
    promise = say("I'll send the forecast to finance.")

    assert len(tasks(promise, say("Never mind.", "Bob"))) == 1


def test_a_task_said_twice_is_one():
    text = "I'll send the forecast to finance."

    assert tasks(say(text), say(text.upper())) == [("Ann Lee", text)]


@pytest.mark.parametrize(
    ("text", "dates", "expected"),
    [
        ("I'll send the report by Friday.", ("Friday",), "Friday"),
        ("I'll send last week's report by Friday.", ("last week", "Friday"), "Friday"),
        ("Tomorrow I'll send the report.", ("Tomorrow",), "Tomorrow"),
        ("I'll send the report.", (), None),
    ],
)
def test_the_date_after_a_deadline_word_is_due(text, dates, expected):
    assert due_text(text, *dates) == expected


def test_a_date_alone_is_no_task():
    text = "Please do it by Friday."

    assert tasks(say(text, dates=("Friday",))) == []


def test_a_clause_without_substance_does_not_spoil_another():
    text = "Jorge will bring the papers himself, you don't have to print anything."

    assert tasks(say(text)) == [("Jorge", text)]


def test_only_a_request_may_be_a_question():
    assert tasks(say("I'll send the forecast?"), say("Should we send it?")) == []


def test_breathless_speech_and_hidden_text_set_no_tasks():
    text = "I'll send the forecast to finance"

    assert tasks(say(f"{text} {'and so on ' * 12}"), say(text, shown=False)) == []


def test_any_language_has_questions_with_a_date():
    text = "Sinaakkutit tallimanngorneq naammassissavigit?"
    dated = say(text, dates=("tallimanngorneq",), language="kl")

    assert tasks(dated) == [(None, text)]
    assert find_actions([dated])[0].due_text == "tallimanngorneq"
    assert tasks(say(text, language="kl"), say("Ajunngilaq.", language="kl")) == []
    assert find_decisions([dated]) == []


def test_decisions_are_told_once_and_in_order():
    first, second = say("We decided to wait."), say("Good, decided, May fourth.")

    assert find_decisions([first, second, first]) == [first, second]


@pytest.mark.parametrize(
    "text",
    [
        "Have we decided to move the launch?",
        "If finance agrees, we'll postpone the launch.",
        "So if finance agrees, we decided to wait.",
        "We agreed on that last time, I think.",
    ],
)
def test_questions_and_conditions_decide_nothing(text):
    assert find_decisions([say(text)]) == []
