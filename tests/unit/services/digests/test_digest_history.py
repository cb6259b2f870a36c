"""What a mail only quotes of earlier ones is told as history."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from digest_fakes import ScriptedRouter, ground, part
from digest_orders import make, order

from flaskllm.services.digests import answers
from flaskllm.services.digests.history import holds_now
from flaskllm.services.digests.notices import list_warnings
from flaskllm.services.digests.order import read_ground
from flaskllm.services.digests.types import (
    ActionItem,
    DigestOrder,
    Evidence,
    Statement,
)
from flaskllm.services.digests.verify import check_action_items, check_statements

ASKED = "Please send the offer to Carla."
NOTED = "Thanks, I have read it."
SUBJECT = ("subject", "Re: the offer")
QUOTED = f"Hello Ada,\n\n{ASKED}\n\nBye, Ben"


def check(made, status="open", place="p2", quote=ASKED):
    """Return the task that the quoted request tells, and what was counted."""
    counts = Counter()
    proof = {"quote": quote, "part": place}
    told = {"task": "Send the offer", "status": status, "evidence": proof}
    item = answers.ActionItemAnswer.model_validate(told)
    (found,) = check_action_items([item], made, counts)
    return found, +counts


def of(*kinds_and_texts):
    """Return the ground of parts, `p1` and on."""
    parts = (
        part(text, f"p{number}", kind)
        for number, (kind, text) in enumerate(kinds_and_texts, start=1)
    )
    return ground(*parts)


@pytest.mark.parametrize(
    ("mail", "holds"),
    [
        ([("body", NOTED), ("quoted", QUOTED)], False),
        ([("body", NOTED), ("quoted", QUOTED), ("signature", "Ada")], False),
        ([("body", NOTED), ("quoted", QUOTED), ("body", "Bye!")], False),
        ([("subject", ASKED), ("quoted", QUOTED)], False),
        ([("body", NOTED), ("quoted", f"Hello,\n\n{ASKED}"), ("body", "Yes.")], True),
        ([SUBJECT, ("quoted", QUOTED), ("body", "Yes, will do all.")], True),
        ([SUBJECT, ("quoted", QUOTED), ("body", "Yes."), ("signature", "A.")], True),
        ([("body", NOTED), ("quoted", QUOTED), ("quoted", "x"), ("body", "y")], False),
        ([("quoted", "Hi!"), ("quoted", QUOTED), ("body", "Yes.")], False),
        ([("body", NOTED), ("body", QUOTED)], True),
        ([("body", NOTED), ("attachment", QUOTED)], True),
    ],
    ids=[
        "quoted",
        "before a signature",
        "above another paragraph",
        "a subject is repeated too",
        "answered right below",
        "all own text stands below the one quote",
        "the same before a signature",
        "above an older quote",
        "two quotes are none that is answered whole",
        "forwarded",
        "attached",
    ],
)
def test_an_open_task_holds_where_the_mails_own_text_renews_it(mail, holds):
    item, counts = check(of(*mail))

    assert (item.evidence.verified, item.evidence.part) == (holds, "p2")
    assert counts == ({} if holds else {"task_of_history": 1})


@pytest.mark.parametrize(
    ("own", "place"),
    [
        (ASKED, 0),
        (f"Hello Cy,\n\n{ASKED}\n\nBye", 11),
        (f"It is still open. {ASKED} It is late.", 18),
        (f"It is still open.\n- {ASKED}", 20),
        ("Again! Please send\nthe offer to Carla.", 7),
        ("Again: yes.\n\nplease send the offer to Carla", 13),
    ],
)
def test_a_task_that_the_mail_says_again_stands_where_it_says_so(own, place):
    item, counts = check(of(("body", own), ("quoted", QUOTED)))

    assert (item.evidence.part, item.evidence.offset) == ("p1", place)
    assert item.evidence.verified
    assert not counts


@pytest.mark.parametrize(
    ("own", "quote"),
    [
        ("No need to send the offer to Carla any more.", "send the offer to Carla"),
        ("I told Ben never to send the offer to Carla.", "send the offer to Carla"),
        ("There is no need to\nsend the offer to Carla.", "send the offer to Carla."),
        ("Nobody has to\n\nsend the offer to Carla?", "send the offer to Carla"),
        (f"Forget this: {ASKED}", ASKED),
        (f"Not needed any more:\n\n- {ASKED}", ASKED),
        (f'Ben wrote "{ASKED}" and that was wrong.', ASKED),
        ("Please send the offer to Carla? No.", ASKED),
        ("Please send the offer to Carla\nno more.", ASKED),
    ],
)
def test_the_same_words_within_another_sentence_renew_nothing(own, quote):
    item, counts = check(of(("body", own), ("quoted", QUOTED)), quote=quote)

    assert (item.evidence.verified, item.evidence.part) == (False, "p2")
    assert counts == {"task_of_history": 1}


def test_a_quote_whose_own_words_are_longer_than_any_answer_is_looked_up_again():
    quoted = f"Please pay{' ' * 4_100}the invoice 12 by Friday"

    item, _ = check(
        of(("body", NOTED), ("quoted", quoted)),
        quote="Please pay the invoice 12 by Friday",
    )

    assert (item.evidence.part, item.evidence.length) == ("p2", len(quoted))


@pytest.mark.parametrize("status", ["done", "retracted"])
def test_a_task_that_has_ended_is_history_anyway(status):
    item, counts = check(of(("body", NOTED), ("quoted", QUOTED)), status)

    assert item.evidence.verified
    assert not counts


def test_other_facts_hold_as_they_were_said():
    counts = Counter()
    told = {"text": "The offer goes to Carla", "evidence": {"quote": ASKED}}
    item = answers.StatementAnswer.model_validate(told)

    (found,) = check_statements([item], of(("quoted", QUOTED)), counts)

    assert found.evidence.verified


def test_answers_within_a_quote_are_the_mails_own():
    mail = (
        "From: Ada <ada@example.com>\nTo: ben@example.org\nSubject: Re: offer\n\n"
        "On Mon, 5 Oct 2026 at 09:00, Ben Ito <ben@example.org> wrote:\n"
        f"> Who sends the offer?\n{ASKED}\n> And when do we meet?\nOn Friday.\n"
    )
    order = DigestOrder(mail.encode(), media_type="message/rfc822")
    made = read_ground(order, datetime(2026, 10, 5, tzinfo=UTC))

    item, counts = check(made, place="")

    assert made.document.part(item.evidence.part).kind == "body"
    assert item.evidence.verified
    assert not counts


def test_a_warning_tells_where_quoted_history_stands():
    made = of(("body", NOTED), ("quoted", ASKED), ("body", NOTED), ("quoted", "Bye"))
    facts = [
        Statement("x", Evidence("y", True, part=place))
        for place in ("p4", "p1", "p2", "p4", None)
    ]
    fields = {"risks": facts, "label_evidence": facts[0].evidence, "priority": "low"}

    told = list_warnings(made, Counter(), (), fields)

    assert told == ("facts_in_quoted_history: 4 stand there, in p2, p4",)
    assert list_warnings(made, Counter(), (), {"risks": facts[1:2]}) == ()


REPLY = f"""From: Ada Quist <ada@example.com>
To: Ben Ito <ben@example.org>
Subject: Re: the offer
Date: Mon, 05 Oct 2026 09:00:00 +0200

{NOTED} Please order the paint.

On Fri, 02 Oct 2026, Ben Ito wrote:
> {ASKED}
""".encode()


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("summary", {"summary": {"short": "The paint is missing.", "bullets": []}}),
        ("reply", {"reply_draft": "Hello Ada, I will order the paint."}),
    ],
)
def test_prose_is_not_told_of_an_old_task_that_the_list_keeps(kind, written):
    asked = {"task": "Send the offer", "evidence": {"quote": ASKED}}
    proof = {"quote": "Please order the paint."}
    # Its owner is taken off: the task holds all the same.
    new = {"task": "Order the paint", "owner": "Zoe", "evidence": proof}
    router = ScriptedRouter({"action_items": [asked, new]}, written)

    digest = make(router, order(kind, content=REPLY)).digest

    told = [(each.task, each.evidence.verified) for each in digest.action_items]
    assert told == [("Send the offer", False), ("Order the paint", False)]
    assert "Order the paint" in router.prompt(1)
    assert "offer" not in router.prompt(1).replace("Re: the offer", "")


@pytest.mark.parametrize(
    ("status", "verified", "holds"),
    [("open", False, False), ("open", True, True), ("done", False, True)],
)
def test_a_task_of_an_earlier_mail_that_is_nowhere_now_holds_as_it_did(
    status, verified, holds
):
    proof = Evidence(ASKED, verified)
    item = ActionItem("Send the offer", None, None, None, status, proof)

    assert holds_now(item, ground(NOTED)) is holds
