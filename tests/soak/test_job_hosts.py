"""Hosts that share a PostgreSQL server and nothing else, least of all a clock."""

import contextlib
import time
from collections import Counter

import pytest
import requests
from fakes import Upstream
from job_crash_scene import SECRET, SETTINGS, TOKEN, Books, Model, wait_for
from job_receiver import Receiver
from machines import Machine
from processes import CHECKOUT, bearer
from rounds import IS_FULL, rounds

# Real processes that start and end, on a machine that may be busy.
pytestmark = pytest.mark.timeout(400)

DAY_SECONDS = 86_400
JOBS = rounds(30, 300)
MODEL_PORT, RECEIVER_PORT, PORT = 9001, 9002, 8000
URL = f"http://127.0.0.1:{PORT}"
IMPATIENT = (str(CHECKOUT / "tests" / "one_worker.py"), "0.2", "2.0")
WORKER = ("flaskllm", "worker") if IS_FULL else IMPATIENT
GUNICORN = ("gunicorn", f"--config={CHECKOUT}/gunicorn.conf.py")
SERVER = (*GUNICORN, f"--bind=127.0.0.1:{PORT}", "flaskllm.factory:create_app()")


class Host:
    """A machine with a server, a worker and the way to both that are outside."""

    def __init__(self, stack, house, name, model, receiver, ahead_seconds=0):
        self.machine = Machine(house, name, ahead_seconds)
        self.model, self.receiver = model, receiver
        for port, step in ((MODEL_PORT, model), (RECEIVER_PORT, receiver)):
            listener = self.machine.listen(port)
            stack.enter_context(Upstream(listener=listener)).always(step)
        self.server = self.machine.start(*SERVER)
        self.worker = self.machine.start(*WORKER)

    def wait_until_ready(self):
        self.server.wait_for(self._answers, 60)
        self.worker.wait_for(lambda: self.worker.events("worker_began"), 60)

    def _answers(self):
        assert self.server.process.poll() is None, self.server.stderr
        try:
            found = self.machine.inside(
                lambda: requests.get(f"{URL}/api/v1/health/ready", timeout=5)
            )
        except requests.RequestException:
            return False
        return found.status_code < 500

    def accept(self, key, **fields):
        """Return the id of a job that it has accepted."""
        body = {
            "prompt": f"The invoice {key} is due on Friday.",
            "type": "keywords",
            "event_id": key,
            "callback_url": f"http://127.0.0.1:{RECEIVER_PORT}/hook",
            **fields,
        }
        reply = self.machine.inside(
            lambda: requests.post(
                f"{URL}/api/v1/webhook", json=body, headers=bearer(TOKEN), timeout=30
            )
        )
        assert reply.status_code == 202, reply.text
        return reply.headers["Location"].rpartition("/")[2]


@pytest.fixture
def make_host(house, postgres, postgres_database_url):
    """Make hosts over one database, whose server they see in a folder."""
    address = f"host={postgres.folder}&port={postgres.port}"
    name = postgres_database_url.rpartition("/")[2]
    settings = SETTINGS.format(
        url=f"http://127.0.0.1:{MODEL_PORT}", port=RECEIVER_PORT, threads=4
    )
    house.write_settings(settings.replace("jobs: {", "jobs: {keep_days: 1, "))
    house.accept_jobs()
    house.environ |= {
        "FLASKLLM_DATABASE_URL": f"postgresql://flaskllm@/{name}?{address}",
        "FLASKLLM_API_TOKEN": TOKEN,
        "FLASKLLM_SECRET": SECRET,
    }
    with contextlib.ExitStack() as stack:
        yield lambda *arguments: Host(stack, house, *arguments)


@pytest.fixture
def books(make_database, postgres_database_url):
    return Books(make_database(postgres_database_url))


def test_what_a_host_had_accepted_and_begun_another_one_finishes(
    make_host, books, record_property
):
    receiver = Receiver()
    models = [Model(seconds=0.2), Model(seconds=0.2)]
    hosts = [
        make_host("alpha", models[0], receiver),
        make_host("beta", models[1], receiver, DAY_SECONDS),
    ]
    for host in hosts:
        host.wait_until_ready()
    accepted = [
        hosts[number % 2].accept(f"key-{number % 2:03}-{number:05}")
        for number in range(JOBS)
    ]
    wait_for(lambda: min(model.count for model in models) > 2, books.summary)

    hosts[0].machine.lose_power()
    lost_seconds = time.monotonic()
    asked = models[0].count
    wait_for(books.is_idle, books.summary)
    seconds = time.monotonic() - lost_seconds

    calls = sum(model.count for model in models)
    record_property(
        "figure",
        f"{JOBS} jobs on two hosts, one of which loses power: all done "
        f"{seconds:.1f} s later; {calls - JOBS} model calls and {receiver.repeated} "
        "deliveries repeated",
    )
    assert Counter(books.column("SELECT state FROM jobs")) == {"done": JOBS}
    assert receiver.effects == Counter(accepted)
    assert models[0].count == asked
    assert calls - JOBS <= 4
