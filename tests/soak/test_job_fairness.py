"""Thousands of jobs of one principal do not hold back the one job of another."""

import time

import pytest
import requests
from job_crash_scene import THREADS, Books, Gateway, Sender, open_world, wait_for
from processes import bearer
from rounds import rounds

JOBS = rounds(500, 10_000)
ITEMS = 500
MODEL_SECONDS = 0.1
OTHERS = 3
# It may meet threads that are all taken, and those that look for work at the same time.
MOST_BEFORE = 2 * THREADS + THREADS


@pytest.fixture
def world():
    with open_world() as opened:
        yield opened


def send_batch(url, token, number):
    """Let a batch be accepted, whose items the model is asked about by their keys."""
    items = [
        {"prompt": f"The invoice key-{number:03}-{each:05} is due.", "type": "keywords"}
        for each in range(ITEMS)
    ]
    reply = requests.post(
        f"{url}/api/v1/batches",
        json={"items": items},
        headers=bearer(token),
        timeout=60,
    )
    assert reply.status_code == 202, reply.text


@pytest.mark.timeout(rounds(400, 1800))
def test_the_job_of_another_is_done_among_the_first(
    database_url, make_database, house, world, record_property
):
    database = make_database(database_url)
    gateway = Gateway(house, world, database_url)
    busy, other = (house.make_token("--scope=webhook") for _ in range(2))
    books, model = Books(database), world.model
    model.seconds = MODEL_SECONDS
    for number in range(JOBS // ITEMS):
        send_batch(gateway.url, busy, number)
    wait_for(lambda: model.count > THREADS, books.summary)

    before, seconds = [], []
    sender = Sender(gateway.url, world.receiver_url, other)
    for number in range(OTHERS):
        key = f"key-900-{number:05}"
        with sender.sending([key]):
            pass
        asked, accepted_seconds = model.count, time.monotonic()
        wait_for(lambda key=key: model.calls.get(key), books.summary)
        before.append(model.count - asked)
        seconds.append(model.calls[key][0] - accepted_seconds)

    waiting = books.value("SELECT count(*) FROM jobs WHERE state = 'queued'")
    record_property(
        "figure",
        f"{JOBS} jobs of one, {waiting} of them waiting in the end: the job of another "
        f"was begun after {before} of them, {max(seconds):.1f} s at most",
    )
    assert waiting > JOBS // 4
    assert max(before) <= MOST_BEFORE
