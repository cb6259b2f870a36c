"""Money on the whole path: reserved before the upstream is called, settled after."""

import threading
from dataclasses import replace

import pytest
from account_fakes import FakeWriter, make_accounts
from api_tokens import make_token
from fakes import chat, status
from ledger_scene import disagreements, entries_of, open_attempts, usage_by_id
from stream_steps import sse, tokens

from flaskllm.api.context import EXTENSION
from flaskllm.core.auth import Scope
from flaskllm.core.errors import InsufficientStorage

SETTINGS = """
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  small:
    provider: box
    model: scripted-1
    max_output_tokens: 100
    price: {{input: 1, output: 5}}
routes:
  - {{alias: scripted, deployments: {{small: 1}}}}
default_route: scripted
"""
QUESTION = {"model": "scripted", "messages": [{"role": "user", "content": "When?"}]}
INPUT_NANOS, OUTPUT_NANOS = 1000, 5000
COUNTED = {"prompt_tokens": 1000, "completion_tokens": 10, "total_tokens": 1010}
COST = 1000 * INPUT_NANOS + 10 * OUTPUT_NANOS


@pytest.fixture
def priced(make_gateway, upstream):
    return make_gateway(SETTINGS.format(url=upstream.url))


@pytest.fixture
def ask(priced):
    """Asks the model, with an API token of its own."""
    token = make_token(priced.services.api_tokens, Scope.CHAT).text

    def ask(**fields):
        return priced.client.post(
            "/v1/chat/completions",
            json={**QUESTION, **fields},
            headers={"Authorization": f"Bearer {token}"},
        )

    return ask


@pytest.fixture
def books(priced):
    """Returns all usage rows in their order, once everything is written."""
    database = priced.services.database

    def books():
        priced.services.accounts.flush()
        assert disagreements(database) == []
        assert open_attempts(database) == set()
        rows = usage_by_id(database).values()
        return sorted(rows, key=lambda row: row.attempt)

    return books


def kinds_of(priced, row):
    """Return the kinds of the ledger's entries of an attempt."""
    return {entry for entry, _, _ in entries_of(priced.services.database, row.id)}


def test_an_answer_costs_what_its_provider_counted(priced, upstream, ask, books):
    upstream.script(chat("On Friday.", COUNTED))

    assert ask().status_code == 200

    (row,) = books()
    assert (row.cost_nanos, row.is_estimated) == (COST, False)
    assert (row.source, row.outcome) == ("openai:chat", "OK")
    assert kinds_of(priced, row) == {"reserve", "settle"}


def test_a_stream_costs_what_its_provider_counted(upstream, ask, books):
    upstream.script(sse(tokens("On", " Friday.")))

    assert ask(stream=True).data.endswith(b"data: [DONE]\n\n")

    (row,) = books()
    assert row.cost_nanos == 12 * INPUT_NANOS + 2 * OUTPUT_NANOS


def test_a_stream_that_breaks_costs_an_estimate_within_its_reservation(
    priced, upstream, ask, books
):
    upstream.always(sse(tokens("On", " Friday.")[:2]))

    assert b"error" in ask(stream=True).data

    for row in books():
        entries = {entry[0]: entry[1] for entry in _entries(priced, row)}
        assert row.outcome != "OK"
        assert row.is_estimated
        assert 0 < row.cost_nanos <= entries["reserve"]


def _entries(priced, row):
    return entries_of(priced.services.database, row.id)


def test_attempts_that_fail_are_rows_of_their_own_and_cost_nothing(
    priced, upstream, ask, books
):
    upstream.script(status(500), chat("On Friday.", COUNTED))

    assert ask().status_code == 200

    failed, good = books()
    assert (failed.outcome, failed.cost_nanos) == ("LLM_SERVER_ERROR", 0)
    assert kinds_of(priced, failed) == {"reserve", "release"}
    assert (good.attempt, good.cost_nanos) == (2, COST)


def test_what_is_reserved_is_the_longest_answer_at_its_price(priced, upstream, ask):
    seen = []

    def look(exchange):
        with priced.services.database.reading() as connection:
            rows = connection.exec_driver_sql("SELECT reserved_nanos FROM reservations")
            seen.extend(row[0] for row in rows)
        chat("On Friday.", COUNTED)(exchange)

    upstream.script(look, look)

    ask()
    ask(max_tokens=7)

    assert len(seen) >= 2
    longest, capped = seen[0], seen[-1]
    assert longest - capped == (100 - 7) * OUTPUT_NANOS


def test_without_a_durable_reservation_no_upstream_is_called(priced, upstream, ask):
    full = InsufficientStorage(details="Its disk is full.", retry_after_seconds=60.0)
    accounts = make_accounts(priced.services.clock, FakeWriter(full))
    services = replace(priced.services, accounts=accounts)
    priced.app.extensions[EXTENSION] = services

    reply = ask()

    assert reply.status_code == 507
    assert reply.headers["Retry-After"] == "60"
    assert upstream.requests == []


def test_one_more_at_once_than_the_principal_may_is_refused(priced, upstream):
    created = make_token(priced.services.api_tokens, Scope.CHAT, concurrent_requests=1)
    headers = {"Authorization": f"Bearer {created.text}"}
    may_end = threading.Event()

    def wait(exchange):
        assert may_end.wait(30)
        chat("On Friday.", COUNTED)(exchange)

    def ask():
        client = priced.app.test_client()
        replies.append(
            client.post("/v1/chat/completions", json=QUESTION, headers=headers)
        )

    upstream.script(wait)
    upstream.always(chat("On Friday.", COUNTED))
    replies = []
    first = threading.Thread(target=ask)
    first.start()
    assert upstream.wait_for_requests(1, 30)

    ask()
    may_end.set()
    first.join()
    ask()

    statuses = [reply.status_code for reply in replies]
    assert statuses == [429, 200, 200]
    assert replies[0].headers["Retry-After"] == "1"
    assert len(upstream.requests) == 2


def test_an_unknown_price_is_null_and_counted(make_gateway, upstream):
    free = make_gateway(SETTINGS.replace("price:", "# price:").format(url=upstream.url))
    upstream.script(chat("On Friday.", COUNTED))
    token = make_token(free.services.api_tokens, Scope.CHAT).text

    free.client.post(
        "/v1/chat/completions",
        json=QUESTION,
        headers={"Authorization": f"Bearer {token}"},
    )

    free.services.accounts.flush()
    (row,) = usage_by_id(free.services.database).values()
    assert (row.cost_nanos, row.price) == (None, "")
    shown = free.services.metrics.render().decode()
    assert 'flaskllm_unpriced_attempts_total{deployment="small"} 1.0' in shown
