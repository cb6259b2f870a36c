"""Settings change under a real server with two workers, and nobody loses anything."""

import contextlib
import os
import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from fakes import Upstream, answer_with, chat
from processes import House, Started, bearer
from stream_steps import LAST_CHUNK, chunk, head, sse, tokens

pytestmark = pytest.mark.timeout(180)

SETTINGS = """
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  {name}: {{provider: box, model: scripted-1}}
routes:
  - {{alias: {name}, deployments: {{{name}: 1}}}}
  - {{alias: always, deployments: {{{name}: 1}}}}
"""
BROKEN = "routs: []\n"
TEXTS = ("One ", "two ", "three.")
TEMPLATE = """---
name: house
version: {version}
type: summary
purpose: Our own.
response_schema: facts
tokens_kept_free: 100
---
# System
Be brief.
# User
{{{{source}}}}
"""
RELOADS = 20
WORKERS = 2


@dataclass
class Gateway:
    """A server with two workers, its upstream, and whoever asks it."""

    house: House
    upstream: Upstream
    token: str = ""
    url: str = ""
    started: Started | None = None
    gate: threading.Event = field(default_factory=threading.Event)

    def serve(self, name):
        self.write(name)
        self.token = self.house.make_token("--scope=admin")
        self.house.environ["FLASKLLM_SERVER__WORKERS"] = str(WORKERS)
        self.started, self.url = self.house.serve()
        self.wait_for_workers()

    def wait_for_workers(self):
        """Return when both have begun their work."""
        self.started.wait_for(
            lambda: sum(map(hears_signals, self.started.workers())) == WORKERS
        )

    def write(self, name):
        text = SETTINGS.format(url=self.upstream.url, name=name)
        self.write_text(text)

    def write_text(self, text):
        """Put new settings in place in one step, as a careful editor does."""
        fresh = self.house.write_settings(text, "fresh.yaml")
        path = self.house.folder / "flaskllm.yaml"
        fresh.replace(path)
        self.house.environ["FLASKLLM_CONFIG"] = str(path)

    def hang_up(self):
        """Send SIGHUP to gunicorn's master."""
        self.started.process.send_signal(signal.SIGHUP)

    def wait_for(self, event, times):
        self.started.wait_for(lambda: len(self.started.events(event)) >= times)

    def ask(self, model, **more):
        """Return the reply to a chat, on a connection of its own."""
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}], **more}
        return requests.post(
            f"{self.url}/v1/chat/completions",
            json=body,
            headers={**bearer(self.token), "Connection": "close"},
            stream=bool(more),
            timeout=30,
        )

    def ready(self):
        reply = requests.get(f"{self.url}/api/v1/health/ready", timeout=10)
        return reply.status_code, reply.json()["data"]

    def hold(self, exchange):
        """Stream the first text, and the rest when the gate opens."""
        first, *rest = tokens(*TEXTS)
        exchange.write(head() + chunk(first) + chunk(rest.pop(0)))
        assert self.gate.wait(60)
        for event in rest:
            exchange.write(chunk(event))
        exchange.write(LAST_CHUNK)


def hears_signals(pid):
    """Tell whether a process catches SIGHUP and lets it in: it has begun its work.

    For a moment after the fork it does so too, as its parent does: with one thread.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # it has ended
        return False
    told = dict(line.split(":\t") for line in lines if line.startswith(("Sig", "Thr")))
    bit = 1 << (signal.SIGHUP - 1)
    hears = int(told["SigCgt"], 16) & bit & ~int(told["SigBlk"], 16)
    return bool(hears) and int(told["Threads"]) > 1


def answer(received):
    is_stream = received.json.get("stream")
    return sse(tokens(*TEXTS)) if is_stream else chat("".join(TEXTS))


@pytest.fixture
def gateway(house, upstream):
    gateway = Gateway(house, upstream)
    upstream.always(answer_with(answer))
    yield gateway
    gateway.gate.set()


def test_streams_go_on_through_a_reload_that_removes_their_deployment(gateway):
    gateway.serve("old")
    gateway.upstream.always(gateway.hold)
    streams = [gateway.ask("old", stream=True).iter_content(None) for _ in range(6)]
    begun = [next(stream) for stream in streams]

    gateway.write("new")
    reloaded = gateway.house.run("config", "reload")

    assert reloaded.returncode == 0, reloaded.stderr
    gateway.wait_for("settings_reloaded", WORKERS)
    assert gateway.ask("old").status_code == 404
    gateway.gate.set()
    for first, stream in zip(begun, streams, strict=True):
        heard = first + b"".join(stream)
        assert all(text.encode() in heard for text in TEXTS)
        assert heard.endswith(b"data: [DONE]\n\n")


def test_the_version_that_is_told_is_the_one_that_was_taken_up(gateway):
    gateway.serve("old")
    gateway.write("new")

    told = gateway.house.run("config", "reload").stdout.decode().splitlines()[0]
    shown = gateway.house.run("config", "show").stdout.decode()

    gateway.wait_for("settings_reloaded", WORKERS)
    versions = {e["version"] for e in gateway.started.events("settings_reloaded")}
    assert len(versions) == 1
    assert told.split()[-1] in versions
    assert shown.splitlines()[0] == f"# version {told.split()[-1]}"


def test_idle_workers_take_up_a_changed_file_by_themselves(gateway):
    gateway.serve("old")

    gateway.write("new")

    gateway.wait_for("settings_reloaded", WORKERS)
    assert {gateway.ask("new").status_code for _ in range(8)} == {200}


def test_a_signal_to_one_worker_is_for_that_worker_alone(gateway):
    gateway.serve("old")
    one, _ = gateway.started.workers()

    os.kill(one, signal.SIGHUP)  # nothing changed: only who was asked looks anew

    gateway.wait_for("settings_reloaded", 1)
    assert {gateway.ask("old").status_code for _ in range(8)} == {200}
    assert len(gateway.started.events("settings_reloaded")) == 1
    assert one in gateway.started.workers()


def test_a_broken_file_keeps_serving_and_readiness_says_so(gateway):
    gateway.serve("old")
    gateway.write_text(BROKEN)

    refused = gateway.house.run("config", "reload")
    gateway.hang_up()

    assert refused.returncode == 2
    assert b"routs (flaskllm.yaml:1)" in refused.stdout
    assert not (gateway.house.data / "reload").exists()
    gateway.wait_for("settings_rejected", WORKERS)
    assert {gateway.ask("old").status_code for _ in range(8)} == {200}
    readiness = [gateway.ready() for _ in range(8)]
    assert readiness == [(200, {"status": "ready", "settings": "rejected"})] * 8

    gateway.write("new")
    gateway.hang_up()

    gateway.wait_for("settings_reloaded", WORKERS)
    assert {gateway.ask("new").status_code for _ in range(8)} == {200}
    assert gateway.ready() == (200, {"status": "ready", "settings": "current"})


def test_a_worker_that_dies_while_the_file_is_broken_gets_a_successor(gateway):
    gateway.serve("old")
    gateway.write("new")
    gateway.hang_up()
    gateway.wait_for("settings_reloaded", WORKERS)
    gateway.write_text(BROKEN)
    gateway.wait_for("settings_rejected", WORKERS)
    one, other = gateway.started.workers()

    os.kill(one, signal.SIGKILL)

    gateway.started.wait_for(lambda: one not in gateway.started.workers())
    gateway.wait_for_workers()
    assert other in gateway.started.workers()
    gateway.wait_for("settings_rejected", WORKERS + 1)
    assert {gateway.ask("new").status_code for _ in range(12)} == {200}
    readiness = [gateway.ready() for _ in range(8)]
    assert readiness == [(200, {"status": "ready", "settings": "rejected"})] * 8

    gateway.write("old")
    gateway.wait_for("settings_reloaded", WORKERS * 2)
    assert {gateway.ask("old").status_code for _ in range(8)} == {200}


def test_changed_templates_are_taken_up_by_a_reload(gateway):
    own = gateway.house.folder / "own"
    own.mkdir()
    gateway.house.environ["FLASKLLM_TEMPLATES_DIR"] = str(own)
    (own / "house.md").write_text(TEMPLATE.format(version=1))
    gateway.serve("old")

    def versions():
        url = f"{gateway.url}/api/v1/templates"
        for _ in range(8):
            reply = requests.get(url, headers=bearer(gateway.token), timeout=10)
            found = {each["name"]: each["version"] for each in reply.json()["data"]}
            yield found["house"]

    assert set(versions()) == {1}
    (own / "house.md").write_text(TEMPLATE.format(version=2))
    assert gateway.house.run("config", "reload").returncode == 0

    gateway.wait_for("settings_reloaded", WORKERS)
    assert set(versions()) == {2}


def test_what_needs_a_restart_is_named_in_the_log(gateway):
    gateway.serve("old")
    text = SETTINGS.format(url=gateway.upstream.url, name="new")
    gateway.write_text(f"{text}server: {{threads: 7}}\nlog_level: DEBUG\n")

    gateway.hang_up()

    gateway.wait_for("settings_need_restart", WORKERS)
    (warning, _) = gateway.started.events("settings_need_restart")
    assert (warning["level"], warning["keys"]) == (
        "WARNING",
        "log_level, server.threads",
    )


def test_twenty_reloads_under_load_lose_nothing(gateway, record_property):
    """Most changes are told by SIGHUP, some by the command; each moves the file."""
    gateway.serve("one")
    workers = sorted(gateway.started.workers())
    over = threading.Event()
    statuses, cut = Counter(), []

    def ask_on():
        while not over.is_set():
            streamed = gateway.ask("always", stream=True)
            heard = b"".join(streamed.iter_content(None))
            statuses[streamed.status_code] += 1
            if not heard.endswith(b"data: [DONE]\n\n"):
                cut.append(heard)

    with ThreadPoolExecutor(4) as pool, contextlib.ExitStack() as at_the_end:
        at_the_end.callback(over.set)
        asking = [pool.submit(ask_on) for _ in range(4)]
        for number in range(1, RELOADS + 1):
            gateway.write(("one", "two")[number % 2])
            if number % 10:
                gateway.hang_up()
            else:
                assert gateway.house.run("config", "reload").returncode == 0
            gateway.wait_for("settings_reloaded", number * WORKERS)
    for each in asking:
        each.result()

    assert cut == []
    assert set(statuses) == {200}
    assert sorted(gateway.started.workers()) == workers
    record_property(
        "figure", f"{RELOADS} reloads under {statuses[200]} streams, 0 failed"
    )
