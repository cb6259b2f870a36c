"""Usage rows, as they go in and come out."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from database_rows import usage_of

from flaskllm.storage.usage import Described, UsageRow, add_usage

NOON = datetime(2030, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
ROW = UsageRow(
    id="use_1",
    request_id="req_12345678",
    principal_id="abcdefABCDEF",
    alias="fast",
    deployment="mini",
    provider="openai",
    model="gpt-4o-mini",
    attempt=1,
    outcome="OK",
    latency_ms=1234,
    input_uncached=1,
    input_cache_read=2,
    input_cache_write=3,
    output_text=4,
    output_reasoning=5,
    usage_source="provider",
    created_at=NOON,
)


EVERYTHING = replace(
    ROW,
    decision="weighted 2/3",
    source="openai:chat",
    tags="team x",
    cost_nanos=2**62,
    is_estimated=True,
    price='{"input": 1}',
)


@pytest.fixture
def database(database_url, make_database):
    return make_database(database_url)


def add(database, *rows):
    with database.transaction() as connection:
        add_usage(connection, rows)


@pytest.mark.parametrize("row", [ROW, EVERYTHING])
def test_usage_comes_out_as_it_went_in(database, row):
    add(database, row)

    assert usage_of(database, row.request_id) == (row,)


def test_each_attempt_of_a_request_has_a_row(database):
    second = replace(ROW, id="use_0", attempt=2, outcome="LLM_TIMEOUT")
    add(database, second, ROW, replace(ROW, id="use_3", request_id="req_other"))

    assert usage_of(database, ROW.request_id) == (ROW, second)


def test_a_row_that_is_there_is_left_as_it_is(database):
    add(database, ROW)
    add(database, replace(ROW, outcome="LLM_TIMEOUT"), replace(ROW, id="use_2"))
    add(database)

    assert {row.id for row in usage_of(database, ROW.request_id)} == {"use_1", "use_2"}
    assert usage_of(database, ROW.request_id)[0].outcome == "OK"


@pytest.mark.parametrize("alias", ["fast", 'a "quoted" one', "größer"])
def test_what_is_known_before_an_attempt_can_be_told_as_text(alias):
    described = Described(alias, "mini", "openai", "gpt-4o-mini", 3, price='{"a": 1}')

    assert Described.from_json(described.to_json()) == described
