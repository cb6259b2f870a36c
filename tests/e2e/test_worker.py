"""Accepted jobs outlive the processes that work on them: real ones, really killed."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
import requests
from fakes import chat
from processes import CHECKOUT, FLASKLLM, SCRIPTED, bearer

STRONG = "k3R9vQ2mX7bT5wL8nZ4cH6jD1sF0gYpA"
TOKEN = "bootstrap-4f1c09ab37d2e865a03d-tests"
MAIL = b"""From: Ada Quist <ada@example.com>
Subject: Invoice 4711
Message-ID: <1@mail.example>

Please pay the invoice by Friday. Whatever is lost, stale or later has to be paid too.
"""
JOBS = "jobs: {poll_seconds: 0.1}\n"
IMPATIENT = [sys.executable, str(CHECKOUT / "tests" / "one_worker.py"), "0.2", "1.0"]


def keywords(word):
    return chat(f'{{"keywords": ["{word}"]}}')


class Gate:
    """Answers of the upstream that are held back, each until it is let go."""

    def __init__(self):
        self.opened = threading.Event()

    def holding(self, reply):
        def step(exchange):
            while not self.opened.is_set():
                exchange.wait(0.02)
            reply(exchange)

        return step


class Scene:
    """A server without a worker of its own, and the workers that a test starts."""

    def __init__(self, house, upstream, **environ):
        self.house, self.upstream = house, upstream
        house.write_settings(JOBS + SCRIPTED.format(url=upstream.url))
        house.accept_jobs()
        self.environ = {
            "FLASKLLM_API_TOKEN": TOKEN,
            "FLASKLLM_SECRET": STRONG,
            **environ,
        }

    def serve(self, **environ):
        self.server, self.url = self.house.serve(**(self.environ | environ))
        return self.server

    def worker(self, command=(*FLASKLLM, "worker")):
        started = self.house.start(command, **self.environ)
        started.wait_for(lambda: started.events("worker_began"), 20)
        return started

    def accept(self, **fields):
        """Return where the job of a mail is looked at."""
        headers = {
            **bearer(TOKEN),
            "Content-Type": "message/rfc822",
            "Prefer": "respond-async",
        }
        query = {"type": "keywords", **fields}
        url = f"{self.url}/api/v1/webhook"
        reply = requests.post(url, MAIL, headers=headers, params=query, timeout=30)
        assert reply.status_code == 202, reply.text
        return reply.headers["Location"]

    def answer(self, location, seconds=20.0):
        """Return the keywords of a job once it is done."""
        url = location if "://" in location else self.url + location
        give_up_at = time.monotonic() + seconds
        while True:
            reply = requests.get(url, headers=bearer(TOKEN), timeout=30)
            if reply.status_code == 200:
                return reply.json()["data"]["digest"]["keywords"]
            assert reply.status_code == 202, reply.text
            assert time.monotonic() < give_up_at, self.server.stderr
            time.sleep(0.05)


@pytest.fixture(params=["sqlite", "postgres"])
def scene(request, house, upstream):
    environ = {}
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_database_url")
        environ["FLASKLLM_DATABASE_URL"] = url
    return Scene(house, upstream, **environ)


@pytest.fixture
def file_scene(house, upstream):
    return Scene(house, upstream)


def children(pid):
    """Return the process ids of its children."""
    with_task = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in with_task.read_text().split()]


def is_running(pid):
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        )
    except FileNotFoundError:
        return False


def beside(server):
    """Return the process ids of the server's supervisor and its worker, if any."""
    for child in server.workers():
        if b"flaskllm.jobs.supervisor" in Path(f"/proc/{child}/cmdline").read_bytes():
            return child, *children(child)
    return ()


def test_what_a_killed_worker_had_begun_another_one_finishes(scene):
    scene.serve()
    first = scene.worker()
    gate = Gate()
    scene.upstream.script(gate.holding(keywords("lost")), keywords("invoice"))
    job = scene.accept()
    assert scene.upstream.wait_for_requests(1, 20)

    first.kill()
    second = scene.worker()

    assert scene.answer(job) == ["invoice"]
    assert [line["count"] for line in second.events("worker_lost")] == [1]
    assert second.stop() == 0


def test_what_a_worker_brings_after_it_was_taken_over_is_refused(scene):
    scene.serve()
    stale = scene.worker()
    gate = Gate()
    scene.upstream.script(gate.holding(keywords("stale")), keywords("invoice"))
    job = scene.accept()
    assert scene.upstream.wait_for_requests(1, 20)

    stale.process.send_signal(signal.SIGSTOP)
    other = scene.worker(IMPATIENT)
    taken_over = scene.answer(job)
    gate.opened.set()
    stale.process.send_signal(signal.SIGCONT)
    stale.wait_for(lambda: stale.events("work_ended"))
    assert other.stop() == 0

    assert (taken_over, scene.answer(job)) == (["invoice"], ["invoice"])
    assert (stale.events("job_done"), len(other.events("job_done"))) == ([], 1)
    # It works on: what it had is not its any more, but what comes is.
    scene.upstream.script(keywords("later"))
    assert scene.answer(scene.accept(force="true")) == ["later"]
    assert stale.stop() == 0


def test_sigterm_lets_a_job_end_and_leaves_the_rest_to_one_that_drains(file_scene):
    file_scene.serve()
    worker = file_scene.worker((*FLASKLLM, "worker", "--threads=1"))
    gate = Gate()
    file_scene.upstream.script(gate.holding(keywords("invoice")), keywords("later"))
    begun = file_scene.accept()
    assert file_scene.upstream.wait_for_requests(1, 20)
    waiting = file_scene.accept(force="true")

    worker.process.send_signal(signal.SIGTERM)
    gate.opened.set()
    assert worker.wait() == 0
    seen = len(file_scene.upstream.requests)
    drained = file_scene.house.run("worker", "--drain", **file_scene.environ)

    assert (seen, drained.returncode) == (1, 0)
    assert file_scene.answer(begun) == ["invoice"]
    assert file_scene.answer(waiting) == ["later"]


def test_the_server_has_a_worker_which_is_started_again_and_ends_with_it(file_scene):
    file_scene.upstream.always(keywords("invoice"))
    server = file_scene.serve(FLASKLLM_JOBS__WORKER="true")
    assert file_scene.answer(file_scene.accept()) == ["invoice"]
    supervisor, worker = beside(server)

    os.kill(worker, signal.SIGKILL)
    server.wait_for(lambda: len(server.events("worker_began")) == 2)
    again = beside(server)
    assert file_scene.answer(file_scene.accept(force="true")) == ["invoice"]

    assert server.stop() == 0
    assert again[0] == supervisor
    assert again[1] != worker
    assert not any(map(is_running, again))
    assert len(server.events("worker_ended")) == 1


def test_what_sigusr2_starts_serves_and_works_on_once_the_first_has_ended(file_scene):
    file_scene.upstream.always(keywords("invoice"))
    first = file_scene.serve(FLASKLLM_JOBS__WORKER="true")
    first.wait_for(lambda: first.events("worker_began"))
    before = set(first.workers())

    first.process.send_signal(signal.SIGUSR2)
    first.wait_for(lambda: first.stderr.count("Booting worker") == 2, 20)
    (second,) = set(first.workers()) - before
    assert first.stop() == 0
    assert file_scene.answer(file_scene.accept()) == ["invoice"]

    processes = [second, *children(second)]
    os.kill(second, signal.SIGTERM)
    first.wait_for(lambda: not any(map(is_running, processes)), 20)
    assert len(processes) == 3
    assert "Traceback" not in first.stderr


def test_a_server_that_is_killed_leaves_no_worker_behind(file_scene):
    server = file_scene.serve(FLASKLLM_JOBS__WORKER="true")
    server.wait_for(lambda: server.events("worker_began"))
    processes = beside(server)

    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()

    server.wait_for(lambda: not any(map(is_running, processes)))
    assert len(processes) == 2
