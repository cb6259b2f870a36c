"""What a process runs out of: file descriptors, and somebody who reads its log."""

import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from fakes import chat
from file_scene import enter_disk, remount
from processes import FLASKLLM, SCRIPTED, bearer, free_port

READY = "/api/v1/health/ready"
TOKEN = "k3R9vQ2mX7bT5wL8nZ4cH6jD1sF0gYpA"
SETTINGS = f"log_format: json\n{SCRIPTED}"
FEW_DESCRIPTORS = 64
SPARE_BYTES = 16 * 1024 * 1024
MUCH_BYTES = 24 * 1024 * 1024
QUESTION = {"model": "scripted", "messages": [{"role": "user", "content": "Hi."}]}


def ask(url):
    return requests.post(
        f"{url}/v1/chat/completions", json=QUESTION, headers=bearer(TOKEN), timeout=30
    ).status_code


@pytest.fixture
def settled(house, upstream):
    house.write_settings(SETTINGS.format(url=upstream.url))
    house.environ["FLASKLLM_API_TOKEN"] = TOKEN
    upstream.always(chat("Hello."))
    return house


def test_a_worker_without_descriptors_waits_and_then_goes_on(settled):
    started, url = settled.serve()
    assert ask(url) == 200
    (worker,) = started.workers()
    limits = (FEW_DESCRIPTORS, FEW_DESCRIPTORS)
    resource.prlimit(worker, resource.RLIMIT_NOFILE, limits)
    host, port = url.removeprefix("http://").split(":")

    known = requests.Session()
    assert known.get(f"{url}/health", timeout=10).ok

    with contextlib.ExitStack() as held:
        for _ in range(3 * FEW_DESCRIPTORS):
            held.enter_context(socket.create_connection((host, int(port)), timeout=10))
        statuses = {ask_patiently(url) for _ in range(3)}
        told = [
            known.post(
                f"{url}/v1/chat/completions",
                json=QUESTION,
                headers=bearer(TOKEN),
                timeout=30,
            )
            for _ in range(3)
        ]

    started.wait_for(lambda: requests.get(f"{url}/health", timeout=10).ok)
    with ThreadPoolExecutor(8) as pool:
        afterwards = set(pool.map(lambda _: ask(url), range(16)))
    assert statuses <= {None, 200, 503}
    assert {each.status_code for each in told} <= {200, 502, 503}
    assert all("choices" in each.json() or "error" in each.json() for each in told)
    assert afterwards == {200}
    assert started.workers() == [worker]
    # gunicorn's own line for a connection that it could not look at is not ours.
    ours = [line for line in started.events() if line["logger"] != "gunicorn.error"]
    assert [line for line in ours if "exception" in line] == []


def test_a_worker_without_memory_loses_no_request_but_those_that_need_it(
    settled, upstream
):
    """What is too large for it is told; and where the system kills it others go on."""
    started, url = settled.serve()
    assert ask(url) == 200
    (worker,) = started.workers()
    limits = (memory_of(worker) + SPARE_BYTES, resource.RLIM_INFINITY)
    resource.prlimit(worker, resource.RLIMIT_AS, limits)

    large = [ask_for_much(url) for _ in range(3)]
    small = [ask(url) for _ in range(5)]
    os.kill(worker, signal.SIGKILL)
    started.wait_for(lambda: started.workers() not in ([], [worker]))
    started.wait_until_ready(url)
    asked = len(upstream.requests)
    with ThreadPoolExecutor(8) as pool:
        afterwards = set(pool.map(lambda _: ask(url), range(16)))

    # It may be so short of it that nothing can be said.
    assert set(large) <= {None, 503}
    assert set(small) == afterwards == {200}
    # One before, and none was asked twice.
    assert (asked, len(upstream.requests)) == (1 + 5, 1 + 5 + 16)


def memory_of(pid):
    """Return how many bytes of addresses a process has."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()[0]
    return int(pages) * resource.getpagesize()


def ask_for_much(url):
    """Return the status of an answer to a long text, or None where there was none."""
    much = {**QUESTION, "messages": [{"role": "user", "content": "x" * MUCH_BYTES}]}
    with contextlib.suppress(requests.ConnectionError):
        return requests.post(
            f"{url}/v1/chat/completions", json=much, headers=bearer(TOKEN), timeout=30
        ).status_code


def ask_patiently(url):
    """Return the status, or None where nobody was there to take the connection."""
    try:
        return requests.get(f"{url}/health", timeout=1).status_code
    except (requests.ConnectionError, requests.Timeout):
        return None


def test_a_log_that_nobody_reads_keeps_no_request_waiting(settled):
    """Its lines are dropped, and counted."""
    reading, writing = os.pipe()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [*FLASKLLM, "serve", f"--port={port}"],
        cwd=settled.folder,
        env=settled.environ,
        stdout=writing,
        stderr=writing,
        start_new_session=True,
    )
    os.close(writing)
    try:
        wait_until_it_answers(url)
        with ThreadPoolExecutor(8) as pool:
            # Twice what a pipe holds.
            statuses = list(pool.map(lambda _: ask(url), range(150)))
        lost = lines_lost(url)
    finally:
        process.terminate()
        os.close(reading)
        process.wait(20)

    assert set(statuses) == {200}
    assert lost > 0


def lines_lost(url):
    """Return how many lines of its log a server says were lost."""
    metrics = requests.get(f"{url}/metrics", timeout=10).text
    name = "flaskllm_log_lines_lost_total"
    (line,) = [each for each in metrics.splitlines() if each.startswith(name)]
    return float(line.split()[-1])


def test_a_log_on_a_full_disk_keeps_no_request_from_its_answer(settled):
    """What finds no room is lost and counted; with more room it goes on."""
    folder = settled.folder / "logs"
    folder.mkdir()
    log = folder / "gateway.log"
    settings = (settled.folder / "flaskllm.yaml").read_text()
    settled.write_settings(f"log_file: {log}\n{settings}")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    enter = enter_disk(folder, "size=16k")
    started = settled.start([*enter, *FLASKLLM, "serve", f"--port={port}"])
    started.wait_until_ready(url)

    statuses = {ask(url) for _ in range(60)}
    lost = lines_lost(url)
    remount(started.process.pid, folder, "size=16m")
    afterwards = ask(url)

    assert statuses == {afterwards} == {200}
    assert lost > 0
    inside = Path(f"/proc/{started.process.pid}/root{log}")
    *lines, last = inside.read_text().splitlines()
    assert json.loads(last)["status"] == 200
    # One may have found room for its beginning only.
    assert sum(not is_whole(line) for line in lines) <= 1


def is_whole(line):
    try:
        return bool(json.loads(line))
    except ValueError:
        return False


def wait_until_it_answers(url):
    for _ in range(300):
        with contextlib.suppress(requests.RequestException):
            if requests.get(f"{url}{READY}", timeout=1).status_code == 200:
                return
        time.sleep(0.1)
    pytest.fail("it did not start")
