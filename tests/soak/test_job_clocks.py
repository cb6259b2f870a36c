"""Workers whose clocks are a day off: nothing begins, ends or expires by them."""

import sys
from collections import Counter

import pytest
from job_crash_scene import Books, Gateway, Sender, open_world, wait_for
from machines import SKEWED
from processes import CHECKOUT

# Real processes that start and end, on a machine that may be busy.
pytestmark = pytest.mark.timeout(400)

MORE_THAN_A_DAY_SECONDS = 90_000
# What a job and a delivery wait after their first failure, without the jitter.
JOB_WAITS_SECONDS, DELIVERY_WAITS_SECONDS = 10.0, 4.5
LONGEST_SECONDS = 60.0
IMPATIENT = (str(CHECKOUT / "tests" / "one_worker.py"), "0.2", "15.0")


@pytest.fixture
def world():
    with open_world() as opened:
        yield opened


class Scene:
    """A server whose clock is right, and workers whose clocks are not."""

    def __init__(self, house, world, database, database_url):
        self.house, self.world, self.books = house, world, Books(database)
        gateway = Gateway(
            house,
            world,
            database_url,
            FLASKLLM_JOBS__WORKER="false",
            FLASKLLM_JOBS__KEEP_DAYS="1",
        )
        day = {"deadline_seconds": 600}
        self.sender = Sender(gateway.url, world.receiver_url, fields=day)

    def worker(self, ahead_seconds):
        """Return a worker with this clock, which has begun."""
        python = (sys.executable, str(SKEWED), str(ahead_seconds))
        started = self.house.start((*python, *IMPATIENT))
        started.wait_for(lambda: started.events("worker_began"), 60)
        return started

    def send(self, *keys):
        """Return when these are accepted."""
        with self.sender.sending(keys):
            pass

    def wait(self):
        """Return when everything that was accepted has ended and was told."""
        wait_for(self.books.is_idle, self.books.summary)

    def states(self):
        return Counter(self.books.column("SELECT state FROM jobs"))

    def fail_once(self, key):
        """Return after how many seconds a job was begun again that had failed."""
        self.world.model.is_down = True
        self.send(key)
        put_off = "SELECT count(*) FROM jobs WHERE failures = 1"
        wait_for(lambda: self.books.value(put_off) == 1, self.books.summary)
        self.world.model.is_down = False
        self.wait()
        *_, failed, done = self.world.model.calls[key]
        return done - failed

    def refuse_once(self, key):
        """Return after how many seconds a delivery was made again that had failed."""
        self.world.receiver.refuses = 1
        self.send(key)
        self.wait()
        *_, refused, taken = self.world.receiver.at_seconds
        return taken - refused


def test_clocks_that_are_a_day_off_end_nothing_early_and_nothing_late(
    house, world, make_database, postgres_database_url, record_property
):
    database = make_database(postgres_database_url)
    scene = Scene(house, world, database, postgres_database_url)
    right = scene.worker(0)
    scene.send(*(f"key-000-{number:05}" for number in range(4)))
    scene.wait()
    assert right.stop() == 0
    workers = [
        scene.worker(MORE_THAN_A_DAY_SECONDS),
        scene.worker(-MORE_THAN_A_DAY_SECONDS),
    ]

    scene.send(*(f"key-001-{number:05}" for number in range(16)))
    scene.wait()
    refused_seconds = scene.refuse_once("key-002-00001")
    failed_seconds = scene.fail_once("key-003-00001")

    record_property(
        "figure",
        f"a job that failed came back after {failed_seconds:.1f} s, a delivery after "
        f"{refused_seconds:.1f} s; signed {max(map(abs, world.receiver.skews)):.0f} s "
        "off at most",
    )
    assert scene.states() == {"done": 22}
    assert world.receiver.effects == Counter(scene.books.column("SELECT id FROM jobs"))
    assert JOB_WAITS_SECONDS <= failed_seconds < LONGEST_SECONDS
    assert DELIVERY_WAITS_SECONDS <= refused_seconds < LONGEST_SECONDS
    assert max(map(abs, world.receiver.skews)) < LONGEST_SECONDS
    # What is kept for a day is there, though one of them has kept the house.
    assert scene.books.value("SELECT count(*) FROM documents") == 22
    assert scene.books.value("SELECT count(*) FROM deliveries") == 22
    assert all(worker.events("job_done") for worker in workers)
