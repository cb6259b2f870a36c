"""A worker is kept beside a server, and ends with it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flaskllm.jobs import supervisor
from flaskllm.jobs.supervisor import (
    Supervisor,
    pause_seconds,
    tell_to_end,
    wait_for_end,
)

# Its worker says who it is, and ends with 7 when it is asked to.
WORKER = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
open(sys.argv[1], "a").write(f"{os.getpid()}\\n")
time.sleep(60)
"""
SUPERVISOR = f"""
import sys
from flaskllm.jobs.supervisor import Supervisor
command = (sys.executable, "-c", {WORKER!r}, sys.argv[2])
Supervisor(int(sys.argv[1]), command).run()
"""
# A server that is in the way until it is killed.
SERVER = f"""
import os, subprocess, sys, time
command = [sys.executable, "-c", {SUPERVISOR!r}, str(os.getpid()), sys.argv[1]]
print(subprocess.Popen(command).pid, flush=True)
time.sleep(60)
"""


def wait_for(condition, seconds=10.0):
    give_up_at = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < give_up_at
        time.sleep(0.02)
    return found


def is_running(pid):
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        )
    except FileNotFoundError:
        return False


def cmdline(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes()


class Scene:
    """A server, its supervisor, and the file in which workers tell their ids."""

    def __init__(self, folder):
        self.told = folder / "workers"
        self.told.touch()
        command = [sys.executable, "-c", SERVER, str(self.told)]
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.supervisor = int(self.server.stdout.readline())

    def workers(self):
        return [int(line) for line in self.told.read_text().splitlines()]

    def worker(self, number=1):
        """Return the id of the first, the second, ... worker once it is there."""
        return wait_for(lambda: self.workers()[number - 1 : number])[0]

    def close(self):
        self.server.kill()
        self.server.communicate()
        for pid in (self.supervisor, *self.workers()):
            if is_running(pid):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def scene(tmp_path):
    opened = Scene(tmp_path)
    yield opened
    opened.close()


def test_a_worker_that_was_killed_is_started_again(scene):
    os.kill(scene.worker(), signal.SIGKILL)

    assert is_running(scene.worker(2))


def test_a_server_that_was_killed_leaves_nothing_behind(scene):
    worker = scene.worker()

    scene.server.kill()
    scene.server.wait()

    wait_for(lambda: not is_running(worker) and not is_running(scene.supervisor))
    assert scene.workers() == [worker]


def test_a_supervisor_that_is_asked_to_end_asks_its_worker(scene):
    worker = scene.worker()

    os.kill(scene.supervisor, signal.SIGTERM)

    wait_for(lambda: not is_running(worker) and not is_running(scene.supervisor))
    assert is_running(scene.server.pid)


def test_a_supervisor_that_was_killed_leaves_no_worker_behind(scene):
    worker = scene.worker()

    os.kill(scene.supervisor, signal.SIGKILL)

    wait_for(lambda: not is_running(worker))
    assert is_running(scene.server.pid)


def test_a_hang_up_is_not_for_the_supervisor(scene):
    worker = scene.worker()

    os.kill(scene.supervisor, signal.SIGHUP)
    os.kill(worker, signal.SIGKILL)

    assert is_running(scene.worker(2))


def test_workers_that_fail_at_once_are_started_ever_more_seldom():
    assert [pause_seconds(lives) for lives in (0, 1, 2, 5, 6, 9999)] == [
        1.0, 2.0, 4.0, 32.0, 60.0, 60.0,
    ]  # fmt: skip


class TestInThisProcess:
    """What a supervisor does and a server asks, where it can be looked at."""

    @pytest.fixture(autouse=True)
    def handlers(self):
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        before = {number: signal.getsignal(number) for number in numbers}
        yield
        for number, handler in before.items():
            signal.signal(number, handler)

    def test_it_runs_its_command_until_it_is_asked_to_end(self, tmp_path):
        told = tmp_path / "workers"
        # The first one fails; the second one asks, and would run on for long.
        program = (
            "import os, signal, sys, time\n"
            f"told = open({str(told)!r}, 'a+')\n"
            "told.seek(0)\n"
            "is_second = told.read()\n"
            "told.write('x')\n"
            "told.close()\n"
            "if is_second:\n"
            "    os.kill(os.getppid(), signal.SIGTERM)\n"
            "    time.sleep(60)\n"
        )

        Supervisor(os.getppid(), [sys.executable, "-c", program]).run()

        assert told.read_text() == "xx"

    def test_without_its_parent_it_does_not_even_begin(self):
        Supervisor(os.getpid(), ["/nonexistent"]).run()

    def test_a_worker_that_does_not_end_is_killed(self, tmp_path, monkeypatch):
        told = tmp_path / "workers"
        program = (
            "import os, signal, time\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            f"open({str(told)!r}, 'w').write(str(os.getpid()))\n"
            "os.kill(os.getppid(), signal.SIGTERM)\n"
            "time.sleep(60)\n"
        )
        monkeypatch.setattr(supervisor, "_PATIENCE_SECONDS", 0.2)

        Supervisor(os.getppid(), [sys.executable, "-c", program]).run()

        assert not is_running(int(told.read_text()))

    def test_a_server_asks_its_supervisor_to_end_and_waits_for_it(self):
        program = (
            "import signal, sys, time\n"
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
            "print(flush=True)\n"
            "time.sleep(60)\n"
        )
        named = [sys.executable, "-c", program, "flaskllm.jobs.supervisor"]
        other = [sys.executable, "-c", program]
        pipe = {"stdout": subprocess.PIPE}
        with (
            subprocess.Popen(named, **pipe) as mine,
            subprocess.Popen(other, **pipe) as bystander,
        ):
            for process in (mine, bystander):
                process.stdout.readline()

            tell_to_end()
            wait_for_end()

            # It has let go of all it had, and the system is about to say so.
            assert (mine.wait(1), bystander.poll()) == (7, None)
            bystander.kill()

    def test_a_server_without_one_waits_for_nobody(self):
        began = time.monotonic()

        tell_to_end()
        wait_for_end()

        assert time.monotonic() - began < 5

    def test_a_server_does_not_wait_for_ever(self, monkeypatch):
        monkeypatch.setattr(supervisor, "_PATIENCE_SECONDS", -0.9)
        program = "input()"
        named = [sys.executable, "-c", program, "flaskllm.jobs.supervisor"]
        with subprocess.Popen(named, stdin=subprocess.PIPE) as mine:
            wait_for(lambda: b"supervisor" in cmdline(mine.pid))

            wait_for_end()

            assert mine.poll() is None
            mine.kill()

    def test_where_children_cannot_be_listed_there_are_none(self, monkeypatch):
        named = [sys.executable, "-c", "input()", "flaskllm.jobs.supervisor"]
        with subprocess.Popen(named, stdin=subprocess.PIPE) as mine:
            wait_for(supervisor.is_there)

            monkeypatch.setattr(supervisor, "Path", lambda _: Path("/nonexistent"))

            assert not supervisor.is_there()
            mine.kill()
