import heapq
from random import Random

import pytest
from strategy_scene import first_names, share_of

from flaskllm.llm.strategies import STRATEGIES
from flaskllm.llm.strategies.choices import Choice, Turn
from flaskllm.llm.strategies.least_busy import order

# Mean seconds of an answer; each deployment makes one answer after the other.
SERVERS = {"fast": 1.0, "good": 1.0, "slow": 3.0}
ARRIVALS_PER_SECOND = 0.8


def p95_seconds(strategy, seed, calls=5000):
    """Return the 95th percentile of waiting and answering in a simulated queue."""
    random = Random(seed)
    now, free_at = 0.0, dict.fromkeys(SERVERS, 0.0)
    under_way = {name: [] for name in SERVERS}
    latencies = []
    for number in range(calls):
        now += random.expovariate(ARRIVALS_PER_SECOND)
        for ends in under_way.values():
            while ends and ends[0] <= now:
                heapq.heappop(ends)
        choices = [Choice(name, 1, len(under_way[name])) for name in SERVERS]
        asked = STRATEGIES[strategy](choices, Turn(number, random))[0].name
        begins = max(now, free_at[asked])
        ends = begins + random.expovariate(1.0 / SERVERS[asked])
        free_at[asked] = ends
        heapq.heappush(under_way[asked], ends)
        latencies.append(ends - now)
    return sorted(latencies)[int(0.95 * calls)]


@pytest.mark.parametrize("seed", range(5))
def test_where_one_is_slow_it_halves_p95_against_round_robin(seed):
    in_turns = p95_seconds("round_robin", seed)
    to_the_least_busy = p95_seconds("least_busy", seed)

    assert to_the_least_busy <= in_turns / 2


@pytest.mark.parametrize(
    ("in_flight", "expected"),
    [
        # By attempts for one unit of weight: 0.5, 1, 2.
        ({"a": 2, "b": 1, "c": 2}, "abc"),
        ({"a": 8, "b": 1, "c": 0}, "cba"),
        ({"a": 3, "b": 1, "c": 1}, "a"),
    ],
)
def test_the_fewest_attempts_for_the_weight_come_first(in_flight, expected):
    weights = {"a": 4, "b": 1, "c": 1}
    choices = [Choice(name, weights[name], count) for name, count in in_flight.items()]

    places = order(choices, Turn(0, Random(1)))

    assert "".join(place.name for place in places).startswith(expected)
    assert [place.score for place in places] == sorted(
        count / weights[name] for name, count in in_flight.items()
    )


def test_where_nobody_is_busy_the_weights_decide():
    names = first_names("least_busy", [Choice("a", 4), Choice("b", 1)], 1000)

    assert share_of(names, "a") == 0.8
