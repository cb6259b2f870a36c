"""Processes are killed at any moment: every accepted job is done, and told once."""

import logging
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

import pytest
from job_crash_scene import (
    SENT_AT_ONCE,
    THREADS,
    Books,
    Gateway,
    Sender,
    World,
    open_world,
    wait_for,
)
from rounds import rounds

_log = logging.getLogger(__name__)

SEED = 6
ROUNDS = rounds(3, 200)
JOBS = rounds(12, 50)
LONGEST_SECONDS = 0.3
READ_LATE_SECONDS = 2.0
WHAT = ("supervisor", "job worker", "master", "web worker", "everything")


@pytest.fixture
def world():
    with open_world() as opened:
        yield opened


@dataclass
class Soak:
    """Rounds of jobs and kills, and what was seen of them.

    Attributes:
        paid_twice: Jobs whose model was asked again though its answer was recorded.
        seconds: How long each round took from its kill to its end.
    """

    gateway: Gateway
    world: World
    sender: Sender
    books: Books
    random: Random
    paid_twice: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def round(self, number: int) -> None:
        """Send jobs, kill something meanwhile, and wait until all is done."""
        keys = [f"key-{number:03}-{each:05}" for each in range(JOBS)]
        what = WHAT[number % len(WHAT)] if number < len(WHAT) else self.choose()
        moment = self.moment(keys)
        with self.sender.sending(keys):
            wait_for(moment, self.books.summary)
            time.sleep(self.random.uniform(0, LONGEST_SECONDS))
            self.gateway.kill(what)
            killed_seconds = time.monotonic()
            paid = self.paid()
            self.gateway.revive()
        wait_for(self.books.is_idle, self.explain)
        self.seconds.append(time.monotonic() - killed_seconds)
        _log.info("round %d: %s, %.1f s", number, what, self.seconds[-1])
        asked = self.world.model.counts()
        self.paid_twice += [key for key, n in paid.items() if asked[key] > n]
        check_jobs(self, number + 1)
        check_calls(self)

    def choose(self) -> str:
        return self.random.choice(WHAT)

    def moment(self, keys):
        """Return a condition that holds at once, or when a part of the work is done."""
        model, receiver = self.world.model, self.world.receiver
        seen = self.random.choice(
            (
                lambda: len(keys),
                lambda: sum(key in self.sender.accepted for key in keys),
                lambda: sum(map(model.counts().__getitem__, keys)),
                lambda: len(receiver.deliveries) - told_before,
            )
        )
        told_before = len(receiver.deliveries)
        least = self.random.randrange(len(keys))
        return lambda: seen() >= least

    def paid(self) -> dict[str, int]:
        """Return how often the model was asked for each job whose step is recorded."""
        recorded, asked = self.books.paid(), self.world.model.counts()
        keys = {job_id: key for key, job_id, _ in self.books.jobs()}
        return {keys[job_id]: asked[keys[job_id]] for job_id in recorded}

    def explain(self) -> str:
        """Return what may tell why a round does not end."""
        kills = [what for what, _ in self.gateway.kills[-3:]]
        log = self.gateway.stderr[-4000:]
        return f"seed {SEED}; {kills}; {self.books.summary()}\n{log}"


@pytest.mark.timeout(rounds(400, 4 * 3600))
def test_after_kills_every_accepted_job_is_done_and_told_once(
    database_url, make_database, house, world, record_property
):
    database = make_database(database_url)
    gateway = Gateway(house, world, database_url)
    soak = Soak(
        gateway,
        world,
        Sender(gateway.url, world.receiver_url),
        Books(database),
        Random(SEED),
    )
    for number in range(ROUNDS):
        soak.round(number)
    gateway.stop()

    record_property("figure", figure(soak))
    assert gateway.left() == []
    check_jobs(soak, ROUNDS)
    check_calls(soak)
    assert database.examine().faults == ()
    checked = house.run("db", "check")
    assert checked.returncode == 0, checked.stderr


def figure(soak):
    kills = Counter(what for what, _ in soak.gateway.kills)
    told = ", ".join(f"{n} {what}" for what, n in sorted(kills.items()))
    jobs, calls = ROUNDS * JOBS, soak.world.model.count
    slowest = max(soak.seconds)
    middle = sorted(soak.seconds)[len(soak.seconds) // 2]
    return (
        f"seed {SEED}: {jobs} jobs, kills: {told}; "
        f"{soak.sender.doubted} answers lost, {calls - jobs} model calls repeated, "
        f"{soak.world.receiver.repeated} deliveries repeated; from the kill to the end "
        f"of the round {middle:.1f} s, at most {slowest:.1f} s"
    )


def check_jobs(soak, rounds_done):
    """Accepted minus finished is nothing, and each job had one effect outside."""
    jobs, accepted = soak.books.jobs(), soak.sender.accepted
    ids = {key: job_id for key, job_id, _ in jobs}
    assert {state for _, _, state in jobs} == {"done"}
    assert len(jobs) == len(ids) == len(accepted) == rounds_done * JOBS
    assert all(job_id in ("", ids[key]) for key, job_id in accepted.items())
    assert soak.world.receiver.effects == Counter(ids.values())
    most = SENT_AT_ONCE * len(soak.gateway.kills)
    assert soak.world.receiver.repeated <= most


def check_calls(soak):
    """A model is asked again only when it was being asked at a kill."""
    assert soak.paid_twice == []
    kills = [seconds for what, seconds in soak.gateway.kills if what != "web worker"]
    repeated = 0
    for key, calls in soak.world.model.calls.items():
        for before, after in pairwise(calls):
            repeated += 1
            # What was sent before a kill a busy upstream may read after it.
            sent = before - READ_LATE_SECONDS
            assert any(sent < kill < after for kill in kills), key
    assert repeated <= THREADS * len(kills)
