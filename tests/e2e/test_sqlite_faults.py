"""A database file that is locked, read-only, on a dying disk or damaged, for real."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
import requests
from fakes import Upstream, chat
from file_scene import (
    bound_by_modes,
    failing_syncs,
    find_damage,
    kept_locked,
)
from processes import FLASKLLM, SCRIPTED, House, Started, bearer, free_port, open_house

_numbers = count(1)
READY = "/api/v1/health/ready"
# So long a lock is waited for, and a bit for a busy machine.
BUSY_SECONDS = 8.0
BACK_SECONDS = 15.0
SETTINGS = f"""
log_format: json
health: {{{{probe_idle_seconds: 0}}}}
limits: {{{{unauthenticated_per_minute: 1000000}}}}
{SCRIPTED}
"""


@dataclass
class Gateway:
    """A served gateway, a token for it, and the file of its database."""

    house: House
    started: Started
    url: str
    token: str

    @property
    def path(self) -> Path:
        return self.house.data / "flaskllm.db"

    @property
    def worker(self) -> int:
        (pid,) = self.started.workers()
        return pid

    def call(self, method, path, **more):
        headers = bearer(self.token)
        url = f"{self.url}{path}"
        return requests.request(method, url, headers=headers, timeout=60, **more)

    def ask(self, *_):
        question = [{"role": "user", "content": "Hi."}]
        body = {"model": "scripted", "messages": question}
        return self.call("POST", "/v1/chat/completions", json=body)

    def accept(self, *_):
        # The same text twice would be the same job.
        prompt = f"Invoice {next(_numbers)} is due on Friday."
        body = {"prompt": prompt, "type": "keywords", "async": True}
        return self.call("POST", "/api/v1/webhook", json=body)

    def is_ready(self):
        return self.call("GET", READY).status_code == 200

    def wait_until_back(self):
        """Return once it is ready, and takes work and questions."""
        for works in (
            self.is_ready,
            lambda: self.ask().status_code == 200,
            lambda: self.accept().status_code == 202,
        ):
            self.started.wait_for(works, BACK_SECONDS)

    def jobs(self):
        with sqlite3.connect(self.path, timeout=10) as other:
            return other.execute("SELECT count(*) FROM jobs").fetchone()[0]


def is_typed(reply) -> bool:
    """Tell whether it is a 503 in our own form, or in the dialect's."""
    return reply.status_code == 503 and "Traceback" not in reply.text and reply.json()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory) -> Iterator[Gateway]:
    """One gateway whose file all of it happens to; modes of files stop it."""
    with (
        open_house(tmp_path_factory.mktemp("file")) as house,
        Upstream() as upstream,
    ):
        upstream.always(chat("Hello."))
        house.accept_jobs()
        house.write_settings(SETTINGS.format(url=upstream.url))
        scopes = ("chat", "webhook", "admin", "read")
        token = house.make_token(*(f"--scope={scope}" for scope in scopes))
        port = free_port()
        command = (*bound_by_modes(), *FLASKLLM, "serve", f"--port={port}")
        started = house.start(command)
        url = f"http://127.0.0.1:{port}"
        started.wait_until_ready(url)
        made = Gateway(house, started, url, token)
        made.wait_until_back()
        yield made
        assert find_damage(made.path) == ["ok"]
        assert not [line for line in started.events() if line.get("status") == 500]


def test_a_file_that_another_process_keeps_locked_is_told_and_read(gateway):
    jobs = gateway.jobs()
    with ThreadPoolExecutor(24) as pool:
        with kept_locked(gateway.path):
            asked = [pool.submit(gateway.ask) for _ in range(12)]
            accepted = [pool.submit(gateway.accept) for _ in range(12)]
            read = gateway.call("GET", "/api/v1/tokens")
            # The one at the head of the line begins to wait for the lock only then.
            gateway.started.wait_for(lambda: count_done(asked, accepted) >= 22)
        told = [each.result() for each in (*asked, *accepted)]

    refused = [each for each in told if each.status_code > 202]
    assert len(refused) >= 22
    assert [each.text for each in refused if not is_typed(each)] == []
    assert all(int(each.headers["Retry-After"]) >= 1 for each in refused)
    assert max(each.elapsed.total_seconds() for each in told) < BUSY_SECONDS
    assert read.status_code == 200
    assert gateway.jobs() == jobs + sum(each.status_code == 202 for each in told)
    gateway.wait_until_back()


def count_done(*asked):
    return sum(each.done() for several in asked for each in several)


def test_a_file_that_may_only_be_read_is_told_and_written_again_when_it_may(gateway):
    jobs, files = gateway.jobs(), gateway.house.data.glob("flaskllm.db*")
    locks = (".lock", ".in-use")
    modes = {path: path.stat().st_mode for path in files if path.suffix not in locks}
    for path in modes:
        path.chmod(0o400)
    # Those who had it open could go on.
    before = gateway.worker
    os.kill(before, signal.SIGKILL)
    gateway.started.wait_for(lambda: gateway.started.workers() not in ([], [before]))

    told = [gateway.accept(), gateway.ask()]
    gateway.started.wait_for(lambda: not gateway.is_ready())
    read = gateway.call("GET", "/api/v1/tokens")
    for path, mode in modes.items():
        if path.exists():
            path.chmod(mode)

    assert [each.text for each in told if not is_typed(each)] == []
    assert "It can be read but not written." in told[0].text
    assert read.status_code == 200
    assert gateway.jobs() == jobs
    gateway.wait_until_back()


def test_a_disk_that_does_not_confirm_is_told_and_nothing_is_claimed(gateway):
    jobs = gateway.jobs()
    with failing_syncs(gateway.worker):
        told = [gateway.accept() for _ in range(3)]
        gateway.started.wait_for(lambda: not gateway.is_ready())

    assert [each.text for each in told if not is_typed(each)] == []
    assert gateway.jobs() == jobs
    gateway.wait_until_back()
    assert gateway.jobs() == jobs + 1
    assert find_damage(gateway.path) == ["ok"]
