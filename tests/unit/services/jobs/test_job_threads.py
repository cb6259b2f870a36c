"""Jobs remember the threads of their mails, once, whoever goes on with them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sealers import key_ring
from thread_mails import body, mail

from flaskllm.core.errors import LLMUnavailable
from flaskllm.services.digests.threads import Threads
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
