"""Jobs of what must stay local: kept for the shortest time, and told so as accepted."""

from dataclasses import replace
from datetime import timedelta

import pytest
from job_runs_scene import ANNA, MAIL, WorkHouse, ordered

from flaskllm.core.config_privacy import PrivacySettings
from flaskllm.llm.catalog import Catalog, Route
from flaskllm.llm.types import Deployment
from flaskllm.services.jobs.orders import from_json
from flaskllm.services.jobs.wanted import Wanted
from flaskllm.services.privacy import Privacy
from flaskllm.storage.audit import AuditRows

CARD = b"\n\nMy card is 4111 1111 1111 1111.\n"
WANTED = Wanted("webhook:email", "req-accepted")
FAR = Deployment("far", "cloud", "openai", "far-1")
NEAR = Deployment("near", "box", "vllm", "near-1", tags=frozenset({"local"}))
CATALOG = Catalog(
    (
        Route(alias="fast", weights={"far": 1}),
        Route(alias="guarded", weights={"near": 1}, on_sensitive="local"),
    ),
    {"far": FAR, "near": NEAR},
)


@pytest.fixture
def open_private(sqlite_database_url, make_database):
    """Opens a house with a section `privacy`; jobs are usually kept for 30 days."""

    def open_private(*script, **told):
        database = make_database(sqlite_database_url)
        house = WorkHouse(database, *script)
        house.database = database
        settings = PrivacySettings(**told)
        rows = AuditRows(house.database)
        rules = settings.compiled()
        privacy = Privacy(settings, rules, rows, house.clock, lambda: CATALOG)
        house.jobs = replace(
            house.jobs, accepting=replace(house.accepting, privacy=privacy)
        )
        digests = replace(house.runs.digests, privacy=privacy)
        house.runs = replace(house.runs, digests=digests)
        return house

    return open_private


def kept_days(house, job_id):
    row = house.rows.find(job_id, ANNA.id)
    return (row.expires_at - row.created_at) / timedelta(days=1)


def accept(house, **fields):
    return house.jobs.accept(ordered(**fields), WANTED, ANNA).job.id


def document_of(house, job_id):
    row = house.rows.find(job_id, ANNA.id)
    return from_json(house.taken.document(row.document_id).body).order


@pytest.mark.parametrize(
    ("told", "fields", "days"),
    [
        ({}, {"content": MAIL + CARD}, 30),
        ({"on_sensitive": "local"}, {"content": MAIL}, 30),
        ({"on_sensitive": "local"}, {"content": MAIL + CARD}, 1),
        ({"on_sensitive": "local", "keep_days": 3}, {"content": MAIL + CARD}, 3),
        ({"on_sensitive": "local", "keep_days": 90}, {"content": MAIL + CARD}, 30),
        ({}, {"content": MAIL + CARD, "on_sensitive": "local"}, 1),
        ({}, {"content": MAIL + CARD, "model": "guarded"}, 1),
        ({}, {"content": MAIL + CARD, "model": "unknown"}, 30),
    ],
)
def test_what_stays_local_is_kept_for_the_shortest_time(
    open_private, told, fields, days
):
    house = open_private(**told)

    assert kept_days(house, accept(house, **fields)) == days


def test_so_is_an_item_of_a_batch_and_one_that_cannot_be_read(open_private):
    house = open_private(on_sensitive="local")
    items = [
        ordered(content=MAIL),
        ordered(content=MAIL + CARD),
        ordered(content=b"x", media_type="application/zip"),
    ]

    batch = house.jobs.accept_batch(items, WANTED, ANNA).job

    rows = house.rows.items(batch.id, ANNA.id, 10)
    days = [(row.expires_at - row.created_at).days for row in rows]
    assert days == [30, 1, 1]


def test_changed_settings_loosen_nothing_that_was_accepted(open_private):
    house = open_private(on_sensitive="local", redact=True)

    order = document_of(house, accept(house))
    told = document_of(house, accept(house, redact=False, type="keywords"))

    assert (order.on_sensitive, order.redact) == ("local", True)
    assert told.redact is False


def test_a_replay_is_kept_no_longer_than_its_job(open_private):
    house = open_private({"keywords": []}, on_sensitive="local")
    first = accept(house, content=MAIL + CARD, type="keywords")
    house.run(first)

    again = house.jobs.replay(first, ANNA, "req-again").job.id

    assert kept_days(house, again) == 1


def test_the_digest_of_a_job_is_on_record_once_whoever_goes_on_with_it(open_private):
    house = open_private({"keywords": []}, on_sensitive="local")
    job_id = accept(house, content=MAIL + CARD, type="keywords")

    assert house.run(job_id).state == "done"
    house.run(job_id)

    (row,) = AuditRows(house.database).page(10)
    assert (row.action, row.principal_id) == ("digest.confined", ANNA.id)
    assert row.request_id == row.object_id == "req-accepted"
    assert '"payment_card": 1' in row.details
