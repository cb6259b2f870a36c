"""Until a batch ends its items tell how it stands and what it has cost."""

import pytest
from job_scene import JobHouse, batch

from flaskllm.storage.job_endings import End

DONE = End("done", result=b"{}", cost_nanos=5)


@pytest.fixture
def house(database_url, make_database):
    return JobHouse(make_database(database_url))


def test_what_items_have_cost_is_summed_for_each_batch(house):
    (whole, items), (other, others) = batch(3), batch(1)
    house.add(whole, *items)
    house.add(other, *others)
    house.begin(items[0])
    house.endings.finish(items[0].id, "run_1", DONE)
    house.begin(items[1])
    house.taken.save_step(items[1].id, "run_1", "facts", b"{}", 7)

    tallies = house.rows.tallies([whole.id, other.id, "job_none"])

    costs = {id: each.cost_nanos for id, each in tallies.items()}
    assert costs == {whole.id: 12, other.id: 0}
    assert tallies[whole.id].counts == {"done": 1, "working": 1, "queued": 1}


def test_one_cost_that_is_not_known_makes_the_whole_unknown(house):
    whole, items = batch(2)
    house.add(whole, *items)
    house.begin(items[0])
    house.taken.save_step(items[0].id, "run_1", "facts", b"{}", None)

    assert house.rows.tallies([whole.id])[whole.id].cost_nanos is None
