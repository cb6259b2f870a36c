from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from fakes import FakeClock
from hypothesis import given, settings
from hypothesis import strategies as st
from usage_rows import START, add_usage, usage_row

from flaskllm.core.auth import BOOTSTRAP, Principal, Scope
from flaskllm.core.errors import NotFound
from flaskllm.services.usage_reports import BY, Span, UsageQueries, Wanted
from flaskllm.storage.rollup_reports import RollupReports
from flaskllm.storage.usage_reports import UsageReports

ALICE = Principal("alice", "Alice", frozenset({Scope.READ}), "api")
BERLIN = ZoneInfo("Europe/Berlin")
NOVEMBER = Span(date(2026, 11, 1), date(2026, 11, 30))


@pytest.fixture
def database(database_url, make_database):
    return make_database(database_url)


@pytest.fixture
def queries(database):
    clock = FakeClock()
    clock.now = lambda: datetime(2026, 11, 21, 12, tzinfo=UTC)
    return UsageQueries(UsageReports(database), RollupReports(database), clock, BERLIN)


def everything(queries, wanted=None):
    return queries.requests(wanted or Wanted(NOVEMBER), 100, None, BOOTSTRAP)


def test_the_sums_are_those_of_all_rows_and_of_each_group(database, queries):
    add_usage(
        database,
        usage_row(model="a", source="chat", tags="red blue"),
        usage_row(model="b", source="webhook:email", tags="red", cost_nanos=1000),
        usage_row(model="b", principal_id="bob", deployment="other"),
    )
    found = queries.summary(Wanted(NOVEMBER), BY, BOOTSTRAP)

    assert (found.total.requests, found.total.attempts) == (3, 3)
    assert (found.total.tokens_input, found.total.tokens_output) == (300, 30)
    assert found.total.cost_nanos == 301_000
    keys = {by: {each.key: each.cost_nanos for each in found.by[by]} for by in BY}
    assert keys["model"] == {"a": 150_000, "b": 151_000}
    assert keys["token"] == {"alice": 151_000, "bob": 150_000}
    assert keys["source"] == {"chat": 300_000, "webhook:email": 1000}
    assert keys["tag"] == {"red": 151_000, "blue": 150_000}
    assert keys["deployment"] == {"mini": 151_000, "other": 150_000}


def test_the_dearest_group_stands_first(database, queries):
    add_usage(
        database,
        usage_row(model="cheap", cost_nanos=1, tags="cheap"),
        usage_row(model="dear", cost_nanos=9, tags="dear"),
    )
    found = queries.summary(Wanted(NOVEMBER), BY, BOOTSTRAP)

    assert [each.key for each in found.by["model"]] == ["dear", "cheap"]
    assert [each.key for each in found.by["tag"]] == ["dear", "cheap"]


def test_attempts_of_one_request_are_one_request(database, queries):
    add_usage(
        database,
        usage_row(request_id="req_one", outcome="LLM_TIMEOUT", cost_nanos=0),
        usage_row(request_id="req_one", attempt=2),
        # The same id of another principal is another request.
        usage_row(request_id="req_one", principal_id="bob"),
    )
    found = everything(queries)

    assert queries.summary(Wanted(NOVEMBER), (), BOOTSTRAP).total.requests == 2
    assert [len(each.attempts) for each in found] == [1, 2]
    assert [each.attempt for each in found[1].attempts] == [1, 2]
    assert found[1].cost_nanos == 150_000


@pytest.mark.parametrize("used", ["input_uncached", "output_text"])
def test_an_attempt_without_a_price_is_counted_and_costs_nothing_that_is_known(
    database, queries, used
):
    nothing = {"cost_nanos": None, "price": "", "input_uncached": 0, "output_text": 0}
    add_usage(
        database,
        usage_row(**{**nothing, used: 7}, request_id="req_one"),
        usage_row(**nothing),
    )
    total = queries.summary(Wanted(NOVEMBER), (), BOOTSTRAP).total
    costs = {each.request_id: each.cost_nanos for each in everything(queries)}

    assert (total.cost_nanos, total.unpriced) == (0, 1)
    assert costs.pop("req_one") is None
    assert list(costs.values()) == [0]


def test_an_attempt_says_what_it_was_charged_for(database, queries):
    add_usage(database, usage_row(input_uncached=60, input_cache_read=40))
    ((attempt,),) = [each.attempts for each in everything(queries)]

    assert [(line.kind, line.tokens, line.price) for line in attempt.lines] == [
        ("input_uncached", 60, 1_000_000_000),
        ("input_cache_read", 40, 1_000_000_000),
        ("output_text", 10, 5_000_000_000),
    ]


@pytest.mark.parametrize(
    ("wanted", "hits"),
    [
        ({"model": "gpt-4o-mini"}, 1),
        ({"model": "gpt-4o"}, 0),
        ({"alias": "fast"}, 1),
        ({"deployment": "mini"}, 1),
        ({"source": "chat"}, 1),
        ({"source": "webhook:email"}, 0),
        ({"tag": "a_b"}, 1),
        # No wildcard: the underscore stands for itself.
        ({"tag": "axb"}, 0),
        ({"tag": "a"}, 0),
        ({"outcome": "OK"}, 1),
        ({"outcome": "LLM_TIMEOUT"}, 0),
        ({"principal_id": "alice"}, 1),
        ({"principal_id": "bob"}, 0),
    ],
)
def test_only_what_is_asked_for_is_found(database, queries, wanted, hits):
    add_usage(database, usage_row(tags="red a_b"))

    assert len(everything(queries, Wanted(NOVEMBER, **wanted))) == hits


def test_an_id_that_comes_again_and_again_does_not_fill_a_page(database, queries):
    add_usage(database, *[usage_row(request_id="req_same") for _ in range(205)])
    (found,) = everything(queries)

    assert len(found.attempts) == 200
    assert found.attempts[-1].created_at == found.place.at


def test_days_begin_in_the_reporting_time_zone(database, queries):
    # In Berlin it is one o'clock on the eleventh.
    add_usage(database, usage_row(created_at=datetime(2026, 11, 11, 0, 0, tzinfo=UTC)))
    add_usage(
        database, usage_row(created_at=datetime(2026, 11, 10, 22, 59, tzinfo=UTC))
    )
    tenth, eleventh = date(2026, 11, 10), date(2026, 11, 11)

    assert len(everything(queries, Wanted(Span(tenth, tenth)))) == 1
    assert len(everything(queries, Wanted(Span(eleventh, eleventh)))) == 1
    assert len(everything(queries, Wanted(Span(tenth, eleventh)))) == 2


def test_without_a_span_it_is_this_month_so_far(database, queries):
    add_usage(database, usage_row(created_at=datetime(2026, 10, 30, tzinfo=UTC)))
    add_usage(database, usage_row())

    assert queries.summary(Wanted(), (), BOOTSTRAP).total.attempts == 1
    assert queries.span() == Span(date(2026, 11, 1), date(2026, 11, 21))


def test_who_is_no_admin_sees_their_own_only(database, queries):
    add_usage(database, usage_row(), usage_row(principal_id="bob"))

    own = queries.requests(Wanted(NOVEMBER), 10, None, ALICE)
    named = queries.requests(Wanted(NOVEMBER, principal_id="alice"), 10, None, ALICE)

    assert [each.principal_id for each in own] == ["alice"]
    assert named == own
    assert queries.summary(Wanted(NOVEMBER), (), ALICE).total.attempts == 1


@pytest.mark.parametrize("other", ["bob", "nobody"])
def test_another_principal_reads_as_nobody(database, queries, other):
    add_usage(database, usage_row(principal_id="bob"))

    with pytest.raises(NotFound) as refused:
        queries.summary(Wanted(NOVEMBER, principal_id=other), (), ALICE)
    assert refused.value.message == "There is no such API token."


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(1, 4))
def test_pages_hold_every_request_once_the_newest_first(moments, size):
    from flaskllm.core.clock import SystemClock
    from flaskllm.storage.database import Database

    database = Database("sqlite://", journal="wal", clock=SystemClock())
    reports = UsageReports(database)
    rows = [
        usage_row(
            created_at=START + timedelta(seconds=second),
            request_id=f"req_{index % 5}",
        )
        for index, second in enumerate(moments)
    ]
    add_usage(database, *rows)
    queries = UsageQueries(reports, RollupReports(database), SystemClock(), BERLIN)
    seen, place = [], None
    while True:
        page = queries.requests(Wanted(NOVEMBER), size, place, BOOTSTRAP)
        if not page:
            break
        seen += [each.request_id for each in page]
        place = page[-1].place
    database.close()

    newest = {row["request_id"]: (row["created_at"], row["id"]) for row in rows}
    for row in rows:
        newest[row["request_id"]] = max(
            newest[row["request_id"]], (row["created_at"], row["id"])
        )
    assert seen == sorted(newest, key=newest.__getitem__, reverse=True)
