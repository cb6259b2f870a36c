"""What failing upstreams cost: the figures, as ratios and counters.

One gateway on its default settings; each test has upstreams of its own in it.
"""

import itertools
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
import requests
from fakes import chat, delayed, status
from fault_gateway import Gateway, serving, settings_of
from fault_places import Place
from processes import open_house
from rounds import rounds

pytestmark = pytest.mark.timeout(300)

SERVICE_SECONDS = 0.2
PROBE_SECONDS = 1.0
REFUSED = [f"refused-{number}" for number in range(3)]
IN_A_ROW = 5  # failures after which a breaker opens, by default
CALLERS = 20
REQUESTS = rounds(300, 2000)
AT_ONCE = 4
SCOPES = ("--scope=chat", "--scope=admin")
QUICK = chat("quick")
PLACES = {
    "steady": [delayed(SERVICE_SECONDS, chat("steady"))],
    "quick": [QUICK],
    **{name: [chat("never")] for name in REFUSED},  # never opened
    "dead": [status(503)],
    "limited": [status(429, {"Retry-After": "4"}), QUICK],
    "healing": [*[status(503)] * IN_A_ROW, delayed(PROBE_SECONDS, chat("healed"))],
    "always-503": [status(503)],
    "always-500": [status(500)],
    "guarded-503": [status(503)],
    "guarded-500": [status(500)],
}
SLOWLY = (*REFUSED, "dead")


@dataclass
class Field:
    """The gateway, and the upstreams by the names of their aliases."""

    gateway: Gateway
    places: dict[str, Place]

    def asked(self, name: str) -> int:
        """Return how many questions have reached an upstream."""
        return len(self.places[name].visits)

    def seconds(self, alias: str) -> float:
        """Return how long one answer takes."""
        called = self.gateway.call(alias)
        assert called.status == 200, called
        return called.seconds


@pytest.fixture(scope="module")
def field(tmp_path_factory) -> Iterator[Field]:
    with ExitStack() as everything:
        places = {name: Place(steps) for name, steps in PLACES.items()}
        for name, place in places.items():
            everything.callback(place.close)
            if name not in REFUSED:
                everything.enter_context(place.opened())
        fallbacks = {
            name: ["steady" if name in SLOWLY else "quick"]
            for name in PLACES
            if name not in ("steady", "quick")
        }
        house = everything.enter_context(open_house(tmp_path_factory.mktemp("house")))
        urls = {name: place.url for name, place in places.items()}
        settings = settings_of(urls, fallbacks)
        yield Field(everything.enter_context(serving(house, settings, *SCOPES)), places)


def test_a_refused_connection_costs_next_to_nothing(field, record_property):
    aliases = REFUSED * (IN_A_ROW - 1)  # no breaker opens
    direct, refused = [], []
    for alias in aliases:
        direct.append(field.seconds("steady"))
        refused.append(field.seconds(alias))

    ratio = statistics.median(refused) / statistics.median(direct)
    record_property("figure", f"first deployment refuses: {ratio:.3f} x a direct call")
    assert ratio <= 1.25


def test_an_open_breaker_costs_nothing_and_asks_nobody(field, record_property):
    for _ in range(IN_A_ROW):
        field.seconds("dead")
    asked = field.asked("dead")
    direct, past = [], []
    for _ in range(8):  # 3.2 s: the shortest cool-down is 4 s
        direct.append(field.seconds("steady"))
        past.append(field.seconds("dead"))

    ratio = statistics.median(past) / statistics.median(direct)
    record_property("figure", f"breaker open: {ratio:.3f} x a direct call")
    assert asked <= IN_A_ROW
    assert field.asked("dead") == asked
    assert ratio <= 1.1


def ask_many(field, alias, count):
    """Return the statuses of so many requests, a few at a time."""
    sessions = threading.local()

    def ask(_):
        if not hasattr(sessions, "own"):
            sessions.own = requests.Session()
        return field.gateway.call(alias, session=sessions.own).status

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, range(count)))


@pytest.mark.parametrize("code", [500, 503])
def test_a_breaker_spares_a_failing_deployment_nearly_all(field, code, record_property):
    name = f"guarded-{code}"

    statuses = ask_many(field, name, REQUESTS)

    ratio = field.asked(name) / REQUESTS
    record_property("figure", f"{code} for ever, {REQUESTS} requests: {ratio:.3f}")
    assert statuses == [200] * REQUESTS
    assert ratio <= 0.15


@pytest.mark.parametrize("code", [500, 503])
def test_without_a_breaker_repeats_stay_within_their_budget(
    field, code, record_property
):
    name = f"always-{code}"
    field.gateway.hold_breaker_closed(name)

    statuses = ask_many(field, name, REQUESTS)

    ratio = field.asked(name) / REQUESTS
    record_property("figure", f"{code}, no breaker, {REQUESTS} requests: {ratio:.3f}")
    assert statuses == [200] * REQUESTS
    assert 1.0 <= ratio <= 1.10


def test_nothing_is_sent_into_a_known_rate_limit(field):
    first = field.gateway.call("limited").status
    told_at = field.places["limited"].visits[0].asked_at
    statuses = ask_many(field, "limited", 40)
    asked = [visit.asked_at for visit in field.places["limited"].visits[1:]]

    assert [first, *statuses] == [200] * 41
    assert [at - told_at for at in asked if at - told_at < 4.0] == []


def test_one_probe_at_a_time_finds_out_whether_it_is_back(field):
    for _ in range(IN_A_ROW):
        field.seconds("healing")
    healing = field.places["healing"]
    is_over = threading.Event()

    def ask_on(_):
        statuses = []
        while not is_over.is_set():
            statuses.append(field.gateway.call("healing").status)
            is_over.wait(0.4)
        return statuses

    with ThreadPoolExecutor(CALLERS) as pool:
        asking = [pool.submit(ask_on, number) for number in range(CALLERS)]
        give_up_at = time.monotonic() + 30.0
        while field.asked("healing") < IN_A_ROW + CALLERS:
            if time.monotonic() > give_up_at:
                break
            is_over.wait(0.05)
        is_over.set()
    statuses = itertools.chain.from_iterable(each.result() for each in asking)

    assert set(statuses) == {200}
    assert field.asked("healing") >= IN_A_ROW + CALLERS, "it did not come back"
    probe, *later = healing.visits[IN_A_ROW:]
    assert probe.asked_at - healing.visits[IN_A_ROW - 1].asked_at >= 4.0
    assert min(each.asked_at for each in later) >= probe.asked_at + PROBE_SECONDS
