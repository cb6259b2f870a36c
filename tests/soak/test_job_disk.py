"""A disk that is full takes no job in half, and loses none that it took."""

import json
import random
import string
import subprocess
import sys
from collections import Counter

import pytest
import requests
from file_scene import beside, enter_disk, remount
from job_crash_scene import SECRET, TOKEN, open_world, wait_for
from processes import FLASKLLM, bearer, free_port
from rounds import IS_FULL

# Real processes that start and end, on a machine that may be busy.
pytestmark = pytest.mark.timeout(400)

SMALL, LARGE = "size=6m", "size=64m"
MOST_JOBS = 2000
REFUSALS = 5
LETTERS = 20_000
ASK = """
import json, sqlite3, sys

found = sqlite3.connect(sys.argv[1], timeout=30).execute(sys.argv[2])
print(json.dumps([row[0] for row in found]))
"""
OPEN = "FROM jobs WHERE state IN ('queued', 'working')"
# What could not even be begun comes back after a minute, which only a soak waits for.
LEFT = f"SELECT count(*) {OPEN}" + ("" if IS_FULL else " AND failures = 0")


@pytest.fixture
def world():
    with open_world() as opened:
        yield opened


class Disk:
    """A small disk, and a server with a worker whose database lies on it."""

    def __init__(self, house, world):
        self.house, self.world = house, world
        self.folder = house.folder / "disk"
        self.folder.mkdir()
        enter = enter_disk(self.folder, SMALL)
        house.write_settings(world.settings)
        house.environ |= {
            "FLASKLLM_DATABASE_URL": f"sqlite:///{self.folder}/store.db",
            "FLASKLLM_API_TOKEN": TOKEN,
            "FLASKLLM_SECRET": SECRET,
        }
        house.accept_jobs(worker=True)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = (*FLASKLLM, "serve", f"--port={port}")
        self.server = house.start([*enter, *command])
        self.server.wait_until_ready(self.url)
        self.server.wait_for(lambda: self.server.events("worker_began"), 60)
        self.accepted = 0

    def column(self, sql):
        """Return what this finds in the database."""
        python = (sys.executable, "-c", ASK, str(self.folder / "store.db"), sql)
        beside_it = beside(self.server.process.pid)
        asked = subprocess.run([*beside_it, *python], capture_output=True)
        assert asked.returncode == 0, asked.stderr.decode()
        return json.loads(asked.stdout)

    def is_idle(self):
        """Tell whether all jobs have ended that are waited for."""
        return self.column(LEFT) == [0]

    def accept(self):
        """Send a long document, and return the status of the answer."""
        key = f"key-000-{self.accepted:05}"
        noise = "".join(random.choices(string.ascii_letters, k=LETTERS))
        body = {
            "prompt": f"The invoice {key} is due on Friday. {noise}",
            "type": "keywords",
            "async": True,
            "event_id": key,
        }
        url = f"{self.url}/api/v1/webhook"
        reply = requests.post(url, json=body, headers=bearer(TOKEN), timeout=60)
        self.accepted += reply.status_code == 202
        return reply.status_code, reply.json().get("details")

    def status(self, path):
        """Return the status of what is only looked at."""
        url = f"{self.url}/api/v1/{path}"
        return requests.get(url, headers=bearer(TOKEN), timeout=60).status_code

    def make_room(self):
        """Let more fit on the disk."""
        remount(self.server.process.pid, self.folder, LARGE)


def test_a_full_disk_takes_nothing_in_half_and_goes_on_with_more_room(
    house, world, record_property
):
    world.model.seconds = 0.5
    disk = Disk(house, world)
    refused = []
    while len(refused) < REFUSALS:
        assert disk.accepted < MOST_JOBS, "the disk is never full"
        answer = disk.accept()
        if answer[0] != 202:
            refused.append(answer)
    taken = disk.accepted
    disk.server.wait_for(lambda: disk.status("health/ready") == 503)
    assert disk.status("jobs") == 200

    disk.make_room()
    disk.server.wait_for(lambda: disk.status("health/ready") == 200)
    assert disk.accept()[0] == 202
    wait_for(disk.is_idle, lambda: disk.server.stderr[-3000:])

    record_property("figure", f"{taken} jobs fitted, then {Counter(refused)}")
    assert disk.column("PRAGMA integrity_check") == ["ok"]
    assert set(refused) == {(507, "Its disk is full.")}
    ids = set(disk.column("SELECT id FROM jobs"))
    assert len(ids) == disk.accepted == taken + 1
    started = disk.column("SELECT workflow_uuid FROM workflow_status")
    assert {each.partition(".")[0] for each in started} == ids
    documents = set(disk.column("SELECT document_id FROM jobs"))
    assert documents == set(disk.column("SELECT id FROM documents"))
    assert (
        disk.column("SELECT id FROM jobs WHERE state NOT IN ('queued', 'done')") == []
    )
    done = disk.column("SELECT count(*) FROM jobs WHERE state = 'done'")
    assert [world.model.count] == done
    assert disk.server.stop() == 0
