"""What is known of a thread: bounded, in order, the same after it was kept."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from flaskllm.services.digests import thread_memory
from flaskllm.services.digests.thread_joining import join
from flaskllm.services.digests.thread_memory import Mail, Memory
from flaskllm.services.digests.types import (
    ActionItem,
    DateFact,
    Evidence,
    Statement,
)

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def mail_of(number, by="Ada"):
    return Mail(f"m{number}", NOON + timedelta(days=number), by)


def statement(text, quote=None):
    return Statement(text, Evidence(quote or f"{text}, as was said", True))


def task(due, quote="Please pay the invoice by Friday."):
    return ActionItem("Pay it", "Ben", due, "Friday", "open", Evidence(quote, True))


def learn(memory, number, **fields):
    """Return what is known once a mail with these facts was read."""
    mail = mail_of(number)
    others = memory.but(mail)
    facts = join(others.facts, mail, fields)
    return others.with_mail(mail, facts, [f"print {number}", "shared"])


def texts(memory, name="risks"):
    return [each.fact.text for each in memory.facts[name]]


def test_it_is_the_same_after_it_was_kept():
    day = DateFact("2026-01-09", "Friday", Evidence("by Friday, the 9th", False))
    memory = learn(
        Memory(), 1, action_items=[task("2026-01-09")], dates=[day], risks=[]
    )

    told = json.loads(json.dumps(memory.to_json()))

    assert Memory.from_json(told) == memory
    assert memory.people() == ("Ada", "Ben")
    assert {"Pay it", "2026-01-09", "by Friday, the 9th"} <= set(memory.texts())


def test_whom_a_mail_names_is_known_later_the_last_ones_first(monkeypatch):
    monkeypatch.setattr(thread_memory, "MOST_NAMES", 3)
    memory = Memory().with_mail(mail_of(1), {}, (), ["Ada", "Cleo", "Dora"])
    memory = memory.with_mail(mail_of(2), {}, (), ["Ben", "Cleo"])

    assert Memory.from_json(memory.to_json()).people() == ("Ben", "Cleo", "Ada")


@pytest.mark.parametrize(
    "told",
    [{}, {"form": 2}, {"form": 1, "facts": {"x": [1]}}, {"form": 1, "facts": []}],
)
def test_what_another_version_wrote_is_not_read(told):
    with pytest.raises(ValueError, match=r"form|no memory"):
        Memory.from_json(told)


def test_facts_stand_in_the_order_in_which_mails_were_sent():
    memory = learn(Memory(), 2, risks=[statement("second thing")])
    memory = learn(memory, 1, risks=[statement("first thing")])

    assert texts(memory) == ["first thing", "second thing"]


def test_the_same_words_for_another_day_take_the_place_of_the_first():
    memory = learn(Memory(), 1, action_items=[task("2026-01-09")])
    memory = learn(memory, 2, action_items=[task("2026-01-16")])
    late = learn(memory, 0, action_items=[task("2026-01-02")])

    [known] = memory.facts["action_items"]
    assert (known.fact.due, known.mail.id) == ("2026-01-16", "m2")
    assert [each.fact.due for each in late.facts["action_items"]] == ["2026-01-16"]


def test_a_sentence_belongs_to_the_first_mail_that_held_it():
    memory = learn(learn(Memory(), 1, risks=[]), 2, risks=[])

    assert memory.mails == {"m1": ("print 1", "shared"), "m2": ("print 2",)}
    assert memory.but(mail_of(1)).seen == {"print 2"}


def test_the_oldest_are_forgotten_and_counted_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(thread_memory, "MOST_FACTS", 3)
    memory = Memory()
    for number in range(5):
        memory = learn(memory, number, risks=[statement(f"thing {number}")])

    assert texts(memory) == ["thing 2", "thing 3", "thing 4"]
    assert memory.forgotten == 2


def test_so_are_those_that_take_too_much_room(monkeypatch):
    monkeypatch.setattr(thread_memory, "MOST_FACT_BYTES", 500)
    memory = learn(Memory(), 1, risks=[statement("old thing")])
    memory = learn(memory, 2, risks=[statement("x" * 300, "it was said")])

    assert [len(text) for text in texts(memory)] == [300]
    assert memory.forgotten == 1


@pytest.mark.parametrize(
    ("name", "most"), [("MOST_MAILS", 2), ("MOST_PRINTS", 3)], ids=["mails", "prints"]
)
def test_the_oldest_mails_are_forgotten_when_there_are_too_many(
    monkeypatch, name, most
):
    monkeypatch.setattr(thread_memory, name, most)
    memory = Memory()
    for number in range(4):
        memory = learn(memory, number, risks=[])

    assert list(memory.mails)[-1] == "m3"
    assert 2 <= len(memory.mails) <= 3
