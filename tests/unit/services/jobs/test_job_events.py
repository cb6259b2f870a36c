"""The same event is known again, and no other one is taken for it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from callback_scene import job as ended_job
from job_runs_scene import MAIL, ordered

from flaskllm import inputs
from flaskllm.core.config_job_sections import JobSettings
from flaskllm.services.jobs.drafting import replay_of
from flaskllm.services.jobs.events import (
    BODY_SECONDS,
    DAY_SECONDS,
    Given,
    event_of,
    knowing,
    knowing_batch,
)

SECRETS = (b"present", b"before")
NOTHING = Given()


def known(given=NOTHING, **fields):
    wanted = ordered(**fields)
    order = wanted.order
    document = inputs.parse(order.content, media_type=order.media_type, source=None)
    return knowing(wanted, document, given)


def with_header(line, mail=MAIL):
    return line.encode() + b"\n" + mail


OTHER_WAY = with_header("Received: from b.example by c.example; 5 Jan 2026")
WITHOUT_ID = MAIL.replace(b"Message-ID: <m1@example.com>\n", b"")


def test_a_mail_is_known_whichever_way_it_came():
    spaced = MAIL.replace(b"still open. Please", b"still open.\n Please")

    assert known(content=OTHER_WAY) == known(content=spaced) == known()
    assert known().lives_seconds == DAY_SECONDS


@pytest.mark.parametrize(
    "changed",
    [
        {"content": MAIL.replace(b"<m1@", b"<m2@")},
        {"content": MAIL.replace(b"To: Ben", b"To: Eve Ito <eve@example.org>, Ben")},
        {"content": MAIL.replace(b"9 January", b"16 January")},
        {"type": "keywords"},
        {"language": "de"},
        {"metadata": {"ticket": 7}},
        {"given": Given(target="https://a.example/")},
    ],
    ids=["id", "recipient", "text", "type", "language", "metadata", "target"],
)
def test_another_mail_or_question_is_another_event(changed):
    assert known(**changed) != known()


def test_the_sender_s_own_id_goes_before_the_mail():
    given = Given(event_key="evt_1", idempotency_key="k")

    assert known(given) == known(given, content=MAIL + b"P.S. Thanks.")
    assert known(given) != known(replace(given, event_key="evt_2"))
    assert known(given).lives_seconds == DAY_SECONDS


def test_a_key_may_hold_half_a_surrogate_pair():
    assert known(Given(event_key="\ud800")) != known(Given(event_key="\ud801"))


def test_the_caller_s_key_counts_where_nothing_better_is_there():
    given = Given(idempotency_key="k1")
    body = {"content": WITHOUT_ID}

    assert known(given) == known()
    assert known(given, **body) != known(**body)
    assert known(given, **body) != known(replace(given, idempotency_key="k2"), **body)
    assert known(given, **body).lives_seconds == DAY_SECONDS


def test_a_body_is_known_for_ten_minutes():
    body = known(content=WITHOUT_ID)

    assert body == known(content=WITHOUT_ID)
    assert body != known(content=with_header("X-Trace: 2", WITHOUT_ID))
    assert body.lives_seconds == BODY_SECONDS == 600


def test_a_batch_is_known_by_all_its_items_in_order():
    one, other = ordered(), ordered(type="keywords")

    batch = knowing_batch([one, other], NOTHING)

    assert batch == knowing_batch([one, other], NOTHING)
    assert batch != knowing_batch([other, one], NOTHING)
    assert batch != knowing_batch([one], NOTHING)
    assert batch.lives_seconds == BODY_SECONDS
    keyed = knowing_batch([one, other], Given(idempotency_key="k"))
    assert keyed.lives_seconds == DAY_SECONDS
    named = [knowing_batch(each, Given("evt_7")) for each in ([one, other], [one])]
    assert named[0].lives_seconds == DAY_SECONDS
    assert named[0] != named[1], "another question has another answer"


def test_what_is_stored_tells_nothing_and_is_known_under_both_secrets():
    event = event_of(known(), SECRETS)

    assert len(event.digest) == 32
    assert event.digest == event_of(known(), SECRETS[:1]).digest
    assert event.earlier == (event_of(known(), SECRETS[1:]).digest,)
    assert event.digest != event.earlier[0]
    assert event_of(known(), SECRETS, is_forced=True).is_forced


@pytest.mark.parametrize(("days", "kept"), [(30, 30), (0.01, 1), (None, 1)])
def test_a_replay_is_known_as_long_as_its_job_was_and_a_day_at_least(days, kept):
    job = ended_job()
    until = None if days is None else job.created_at + timedelta(days=days)
    job = replace(job, event_digest=b"e" * 32, repeats_until=until)

    again = replay_of(job, "req-again", JobSettings())

    assert again.event.lives_seconds == kept * DAY_SECONDS
    assert again.event.is_forced


def test_what_a_sender_delivers_is_known_for_thirty_days():
    delivered = known(Given("evt_7", inbound_id="desk"))

    assert delivered.lives_seconds == 30 * DAY_SECONDS
