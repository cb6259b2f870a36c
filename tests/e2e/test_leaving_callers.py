"""Callers who hang up: the upstream's work ends, and is recorded, exactly once."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from random import Random

import pytest
from fakes import Upstream, answer_with
from hosts import SETTINGS, Host, usage_rows
from leaving import EVENTS, PHASES, ask, draw_departures, hang_up, prompt_of, read_until
from nonces import draw_questions, echo
from processes import House, open_house
from rounds import rounds
from stream_steps import stall
from uwsgi_host import serve_uwsgi

pytestmark = pytest.mark.timeout(900)

COUNT = rounds(small=30, full=300)
NONCES = rounds(small=60, full=1000)
LONGEST_SECONDS = 1.0


@dataclass
class Place:
    """Gateways over one database and one upstream; `at_once` requests fit in each."""

    house: House
    upstream: Upstream
    hosts: Sequence[Host]
    at_once: int
    token: str

    def each(self, run, tasks):
        """Run this for each task, on a free seat of a host; return the results."""
        seats = SimpleQueue()
        for host in self.hosts * self.at_once:
            seats.put(host)

        def run_one(task):
            host = seats.get()
            try:
                return run(host, task)
            finally:
                seats.put(host)

        with ThreadPoolExecutor(seats.qsize()) as pool:
            return list(pool.map(run_one, tasks))

    def rows_of(self, mark, count):
        """Return what was recorded of requests with this mark, once all are there."""

        def rows():
            return [
                row
                for row in usage_rows(self.house)
                if row["request_id"].startswith(f"{mark}-")
            ]

        self.hosts[0].started.wait_for(lambda: len(rows()) >= count)
        return rows()


@pytest.fixture(scope="module", params=["gunicorn", "uwsgi"])
def place(request, tmp_path_factory):
    is_uwsgi = request.param == "uwsgi"
    if is_uwsgi:
        request.getfixturevalue("uwsgi_venv")
    with Upstream() as upstream, open_house(tmp_path_factory.mktemp("house")) as house:
        house.write_settings(SETTINGS.format(url=upstream.url))
        token = house.make_token("--scope=chat")
        if is_uwsgi:  # one request at a time each: several, or 300 take too long
            hosts = [Host(*serve_uwsgi(house)) for _ in range(3)]
        else:
            hosts = [Host(*house.serve())]
        yield Place(house, upstream, hosts, 1 if is_uwsgi else 6, token)


def test_every_caller_who_leaves_ends_the_upstreams_work(place, record_property):
    departures = {each.request_id: each for each in draw_departures(COUNT, "leaving")}
    place.upstream.always(
        answer_with(lambda received: departures[prompt_of(received)].play)
    )
    before = len(place.upstream.closed_by_peer)

    place.each(lambda host, each: each.leave(host, place.token), departures.values())

    rows = place.rows_of("leaving", COUNT)
    assert place.upstream.wait_for_hang_up(before + COUNT)
    assert len(place.upstream.closed_by_peer) == before + COUNT
    slowest = max(departures.values(), key=lambda each: each.seconds)
    assert slowest.seconds <= LONGEST_SECONDS, slowest
    assert Counter(row["request_id"] for row in rows) == Counter(list(departures))
    assert {row["outcome"] for row in rows} == {"CALLER_GONE"}
    for row in rows:
        has_text = PHASES[departures[row["request_id"]].phase].until is not None
        assert row["usage_source"] == ("estimated" if has_text else "none")
        assert (row["output_text"] > 0) is has_text
    for host in place.hosts:
        host.wait_for_gauge(0.0)
    record_property("figure", f"{COUNT} hang-ups, slowest {slowest.seconds:.3f} s")


# uWSGI without threads cannot be asked meanwhile.
@pytest.mark.parametrize("place", ["gunicorn"], indirect=True)
def test_an_open_stream_is_in_flight_until_its_caller_leaves(place):
    host = place.hosts[0]
    place.upstream.always(stall(EVENTS, after=2))

    with ask(host, place.token, "in-flight-1", is_stream=True) as connection:
        read_until(connection, b"Hel")
        host.wait_for_gauge(1.0)
        hang_up(connection, "fin")

    host.wait_for_gauge(0.0)


def test_nobody_gets_the_answer_to_another_question(place, record_property):
    """Half of the callers leave; what they left must not wait on the connection."""
    asked = draw_questions(NONCES, Random(len(place.hosts)))
    place.upstream.always(answer_with(echo))
    requests, connections = len(place.upstream.requests), place.upstream.connections

    answers = place.each(lambda host, each: each.ask(host, place.token), asked)

    wrong = [
        (question, answer)
        for question, answer in zip(asked, answers, strict=True)
        if answer != (None if question.patience_seconds is not None else question.nonce)
    ]
    assert wrong == []
    requests = len(place.upstream.requests) - requests
    connections = place.upstream.connections - connections
    assert connections < requests, "no connection was used twice"
    left = sum(question.patience_seconds is not None for question in asked)
    record_property(
        "figure",
        f"{NONCES} questions, {left} left early, 0 answers mixed up; "
        f"{requests} upstream requests on {connections} connections",
    )
