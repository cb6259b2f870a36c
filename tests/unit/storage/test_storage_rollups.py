"""Roll-ups are the sums of the usage rows: of old ones too, and of each once."""

from datetime import UTC, datetime, timedelta

import pytest
from fakes import FakeClock
from ledger_scene import NOON, open_ledger, reservation, settled, usage_row
from revisions import make_at
from rollup_sums import unlike_usage
from sqlalchemy import create_engine, insert, select
from usage_rows import usage_row as plain_row

from flaskllm.storage.ledger import Closing
from flaskllm.storage.rollup_rows import Key, id_of, level_telling, views_of
from flaskllm.storage.tables import usage, usage_quarters

IDS = (
    4509732603291774598,
    7626113612633877163,
    2166081989336107723,
    3998665741031057204,
    1189975792589898038,
)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    """The URL of a database without a schema, of either store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/old.db"
    return request.getfixturevalue("empty_postgres_url")


def fill(url, rows):
    """Put rows into the table as it was before there were roll-ups."""
    make_at(url, "0011")
    engine = create_engine(url.replace("postgresql", "postgresql+psycopg"))
    added = {"opens_request", "first_token_ms"}  # by this revision
    columns = [each for each in usage.columns if each.name not in added]
    old = [{each.name: row[each.name] for each in columns} for row in rows]
    with engine.begin() as connection:
        for row in old:
            values = {usage.c[name]: value for name, value in row.items()}
            connection.execute(insert(usage).values(values))
    engine.dispose()


def test_rows_of_before_are_in_the_roll_ups(url, make_database):
    begin = datetime(2026, 3, 28, 22, 59, 59, 999999, tzinfo=UTC)
    rows = [
        plain_row(
            created_at=begin + timedelta(minutes=7 * each),
            request_id=f"req_{each // 3}",
            model=["a", "b"][each % 2],
            tags=["", "red"][each % 2],
            price=["", '{"input": 1}'][each % 2],
            outcome=["OK", "OK", "LLM_TIMEOUT"][each % 3],
            latency_ms=[0, 1, 900, 2_000_000_000][each % 4],
            cost_nanos=[None, 9 * 10**17][each % 2],
            is_estimated=each % 5 == 0,
            input_uncached=2_000_000_000,
            input_cache_read=2_000_000_000,
        )
        for each in range(30)
    ]
    fill(url, rows)
    database = make_database(url)
    database.upgrade()

    assert unlike_usage(database) == []
    with database.reading() as connection:
        opening = select(usage.c.id).where(usage.c.opens_request)
        assert len(connection.execute(opening).all()) == 10
        sums = connection.execute(select(usage_quarters)).mappings().all()
    assert sum(row["attempts"] for row in sums) == 30
    assert sum(row["cost_nanos"] for row in sums) == 15 * 9 * 10**17


def test_an_upgrade_without_usage_makes_empty_roll_ups(url, make_database):
    make_at(url, "0011")
    database = make_database(url)
    database.upgrade()

    assert unlike_usage(database) == []


def test_what_is_told_twice_is_counted_once(database_url, make_database):
    database = make_database(database_url)
    ledger = open_ledger(database, FakeClock(NOON))
    held = reservation("att_1")
    ledger.write([held], [])
    # One that nothing was reserved for, as of the built-in provider.
    free = Closing("att_2", NOON, None, usage_row(reservation("att_2"), 0))

    for _ in range(2):
        ledger.write([], [settled(held, 700), free])

    assert unlike_usage(database) == []
    with database.reading() as connection:
        (sums,) = connection.execute(select(usage_quarters)).mappings().all()
    assert (sums["attempts"], sums["cost_nanos"]) == (2, 700)


def test_an_id_follows_from_its_key_for_ever():
    key = Key("ann", "fast", "mini", "gpt-4o-mini", "chat", "red", '{"input": 1}')

    assert id_of(key) == IDS[0]
    assert tuple(map(id_of, views_of(key))) == IDS[1:]


@pytest.mark.parametrize(
    ("names", "level"),
    [
        ((), 2),
        (("model",), 2),
        (("principal_id", "alias"), 1),
        (("source",), 3),
        (("tags", "deployment"), 4),
        (("tags", "source"), 0),
        (("principal_id", "tags"), 0),
    ],
)
def test_the_fewest_keys_are_read_that_tell_what_is_asked(names, level):
    assert level_telling(names) == level
