"""Jobs remember the threads of their mails, once, whoever goes on with them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sealers import key_ring
from thread_mails import body, mail

from flaskllm.core.errors import LLMUnavailable
from flaskllm.services.digests.threads import Threads, target_of
from flaskllm.services.jobs.wanted import Wanted
from flaskllm.storage.threads import ThreadRows

BODIES = [body(1), body(2), body(3)]
PROSE = {"summary": {"short": "The crane.", "bullets": []}}


def facts_of(number):
    quote = f"I will send draft {number} to the harbour office."
    proof = {"quote": quote, "part": "p1"}
    return {"action_items": [{"task": f"Send draft {number}", "evidence": proof}]}


@pytest.fixture
def house(open_house, sqlite_database_url, make_database):
    house = open_house()
    rows = ThreadRows(make_database(sqlite_database_url), house.clock)
    threads = Threads(rows, key_ring(), timedelta(days=30))
    digests = replace(house.runs.digests, threads=threads)
    house.runs = replace(house.runs, digests=digests)
    return house


def accept(house, number, *script, **fields):
    house.router.script = list(script)
    content = mail(number, BODIES[:number], quotes=False)
    return house.accept(content=content, **fields)


def tasks(job):
    return [each["task"] for each in job.result["data"]["digest"]["action_items"]]


def test_a_job_knows_what_earlier_jobs_have_read(house):
    house.run(accept(house, 1, facts_of(1), PROSE))
    job = house.run(accept(house, 2, facts_of(2), PROSE))

    assert tasks(job) == ["Send draft 1", "Send draft 2"]


def test_one_that_ignores_threads_touches_none(house):
    house.run(accept(house, 1, facts_of(1), PROSE, thread="ignore"))
    job = house.run(accept(house, 2, facts_of(2), PROSE))
    alone = house.run(accept(house, 1, facts_of(1), PROSE, thread="ignore"))

    assert tasks(job) == ["Send draft 2"]
    assert tasks(alone) == ["Send draft 1"]


@pytest.mark.parametrize(
    "target",
    [
        {"inbound_id": "in_b"},
        {"callback_url": "https://b.example.com/told"},
        {"endpoint_id": "ep_b"},
    ],
    ids=lambda target: next(iter(target)),
)
def test_what_is_told_to_one_receiver_is_not_told_to_another(house, target):
    """Mailboxes of one API token have receivers of their own."""
    told = Wanted("inbound:generic", "req-1", **target)
    house.run(accept(house, 1, facts_of(1), PROSE, wanted=told))
    elsewhere = house.run(accept(house, 2, facts_of(2), PROSE))
    joined = house.run(accept(house, 3, facts_of(3), PROSE, wanted=told))

    assert tasks(elsewhere) == ["Send draft 2"]
    assert tasks(joined) == ["Send draft 1", "Send draft 3"]


def test_an_inbound_endpoint_counts_before_its_receiver():
    told = {"callback_url": "https://b.example.com", "endpoint_id": None}

    names = [target_of(inbound_id=each, **told) for each in ("in_a", "in_b", None)]

    assert names == ["inbound:in_a", "inbound:in_b", "url:https://b.example.com"]


def test_what_was_known_when_it_was_begun_stays_what_it_goes_on_with(house):
    """Its facts were paid for; those of a mail that came meanwhile are of no use."""
    down = LLMUnavailable(details="Nobody listens there.")
    late = accept(house, 2, facts_of(2), down)
    assert house.run(late).state == "queued"
    house.run(accept(house, 1, facts_of(1), PROSE))
    house.clock.advance(3600.0)
    house.router.script = [PROSE]

    job = house.run(late, attempt=2)
    later = house.run(accept(house, 3, facts_of(3), PROSE))

    assert tasks(job) == ["Send draft 2"]
    assert tasks(later) == ["Send draft 1", "Send draft 2", "Send draft 3"]
