"""Many equal requests to three processes: an upstream is asked once for each."""

import pytest
from flight_scene import open_flock
from rounds import rounds

EQUAL = rounds(20, 100)
KEYS = rounds(3, 20)


# Where nothing is kept all must be there before the first answer is.
SECONDS = {"kept": 0.4, "flown": rounds(2, 4)}


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def store_url(request):
    if request.param == "redis":
        return request.getfixturevalue("redis_url")
    return request.getfixturevalue(f"{request.param}_database_url")


@pytest.mark.parametrize("model", ["kept", "flown"])
def test_equal_requests_at_the_same_time_are_asked_once(
    house, upstream, store_url, model, record_property
):
    """Also where nothing is kept: those who wait get what was brought."""
    flock = open_flock(house, upstream, store_url, SECONDS[model])
    for number in range(KEYS):
        answers = flock.ask_together(f"question {number}", model, EQUAL)
        assert answers == {f"question {number}": EQUAL}

    calls = flock.asked.total()
    left_alone = [
        event["reason"]
        for gateway, _ in flock.gateways
        for event in gateway.events("cache_not_used")
    ]
    assert left_alone == []
    record_property("figure", f"{EQUAL} x {KEYS} over 3 processes: {calls} calls")
    assert calls == KEYS
