"""One upstream call and one answer for one key, whoever repeats it, whatever dies."""

import json
import signal
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import fakes
import pytest
import requests
import stream_steps
from fakes import Upstream, answer_with
from processes import SCRIPTED, House, Started, bearer, free_port
from rounds import soak_only

from flaskllm.storage.database import Database

TOKEN = "bootstrap-4f1c09ab37d2e865a03d-tests"
SECRET = "h7Kq2vXw9LzT4mRb6NcY1pJd8sFgA3eU"
DYING = Path(__file__).parents[1] / "dying_gateway.py"
LEASE_SECONDS = 20
MOST_COMMITS = 30
SERVER = "server: {workers: 2, threads: 60}\n"
CHAT = {"messages": [{"role": "user", "content": "About KEY?"}]}
REQUESTS = {
    "whole": ("/v1/chat/completions", CHAT),
    "stream": ("/v1/chat/completions", CHAT | {"stream": True}),
    "native stream": ("/api/v1/chat/stream", CHAT),
}


def reply(received):
    """Answer as a model does, streamed where a stream is asked for."""
    if received.json.get("stream"):
        return stream_steps.sse(stream_steps.tokens("Hel", "lo"))
    return fakes.chat("hello")


@dataclass
class Scene:
    """Gateways on one data folder, and the upstream that all of them ask."""

    house: House
    upstream: Upstream
    database: Database

    def start(self, **environ: str) -> tuple[Started, str]:
        """Start a gateway that may die; return it ready, and its address."""
        port = free_port()
        started = self.house.start([sys.executable, str(DYING), str(port)], **environ)
        url = f"http://127.0.0.1:{port}"
        started.wait_until_ready(url)
        return started, url

    def ask(self, url, key, kind="whole"):
        """Return the answer to a request with this key, read to its end."""
        path, body = REQUESTS[kind]
        text = json.dumps(body).replace("KEY", key)
        headers = {**bearer(TOKEN), "Idempotency-Key": key}
        headers["Content-Type"] = "application/json"
        return requests.post(url + path, data=text, headers=headers, timeout=60)

    def calls(self, key):
        """Return how often the upstream was asked for this key."""
        return sum(key.encode() in each.body for each in self.upstream.requests)

    def query(self, sql):
        """Return the only value that this finds in the database of the gateways."""
        with self.database.reading() as connection:
            return connection.exec_driver_sql(sql).scalar_one()

    def finished(self):
        """Return for how many keys an answer is recorded."""
        return self.query("SELECT count(*) FROM idempotency WHERE state = 'finished'")


@pytest.fixture
def scene_at(house, upstream, make_database):
    """Make the scene on the database at this URL."""

    def make(url):
        upstream.always(answer_with(reply))
        house.write_settings(SERVER + SCRIPTED.format(url=upstream.url))
        house.environ |= {
            "FLASKLLM_API_TOKEN": TOKEN,
            "FLASKLLM_SECRET": SECRET,
            "FLASKLLM_DATABASE_URL": url,
        }
        return Scene(house, upstream, make_database(url))

    return make


@pytest.fixture
def scene(scene_at, sqlite_database_url):
    return scene_at(sqlite_database_url)


@pytest.mark.parametrize(
    ("store", "kind", "when"),
    [
        ("sqlite", "whole", "before"),
        ("sqlite", "stream", "after"),
        ("postgres", "whole", "after"),
        pytest.param("sqlite", "whole", "after", marks=soak_only),
        pytest.param("sqlite", "stream", "before", marks=soak_only),
        pytest.param("sqlite", "native stream", "before", marks=soak_only),
        pytest.param("sqlite", "native stream", "after", marks=soak_only),
        pytest.param("postgres", "stream", "before", marks=soak_only),
    ],
)
def test_a_gateway_may_be_killed_around_any_commit(
    scene_at, request, record_property, store, kind, when
):
    """The k-th commit for k = 1, 2, ... until a request gets through."""
    scene = scene_at(request.getfixturevalue(f"{store}_database_url"))
    _, healthy = scene.start(AHEAD_SECONDS=str(LEASE_SECONDS + 1))
    told = Counter()
    is_through = False

    for number in range(1, MOST_COMMITS):
        key = f"{when}-{number}-x"
        _, url = scene.start(DIE_AT=str(number), DIE_WHEN=when)
        before = scene.finished()
        try:
            is_through = scene.ask(url, key, kind).status_code == 200
        except requests.RequestException:
            is_through = False
        is_recorded = scene.finished() > before
        assert is_recorded or not is_through
        repeat(scene, healthy, key, kind, is_recorded=is_recorded)
        told[is_recorded] += 1
        if is_through:
            break

    assert is_through
    assert told[False] >= 2  # before the answer was there, and before it was recorded
    # Before the last bytes of a recorded answer were out; and the one that is through.
    assert told[True] >= (2 if when == "after" else 1)
    assert scene.query("SELECT count(*) FROM idempotency") == scene.finished()
    if store == "sqlite":
        assert scene.query("PRAGMA integrity_check") == "ok"
    later = told[True] - 1
    record_property("figure", f"{told[False]} kills before the record, {later} after")


def repeat(scene, url, key, kind, *, is_recorded):
    """Repeat a request twice: it is run again only where no answer was recorded."""
    calls = scene.calls(key)

    first, second = (scene.ask(url, key, kind) for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 200), first.text
    assert ("Idempotency-Replayed" in first.headers) is is_recorded
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.content == first.content
    assert calls <= 1
    assert scene.calls(key) == calls + (not is_recorded)


@pytest.mark.parametrize("kind", ["whole", "stream"])
def test_a_gateway_may_be_killed_while_the_upstream_is_silent(scene, kind):
    scene.upstream.script(fakes.hang())
    started, url = scene.start()
    with ThreadPoolExecutor(1) as pool:
        lost = pool.submit(scene.ask, url, "silent", kind)
        assert scene.upstream.wait_for_requests(1)
        started.stop(signal.SIGKILL)
        assert isinstance(lost.exception(), requests.ConnectionError)
    _, on_time = scene.start()
    _, later = scene.start(AHEAD_SECONDS=str(LEASE_SECONDS + 1))

    assert scene.ask(on_time, "silent", kind).status_code == 409
    assert scene.ask(later, "silent", kind).status_code == 200
    assert "Idempotency-Replayed" in scene.ask(on_time, "silent", kind).headers
    assert scene.calls("silent") == 2


def test_after_a_kill_the_key_is_free_within_twenty_seconds(scene, record_property):
    scene.upstream.script(fakes.hang())
    started, url = scene.start()
    with ThreadPoolExecutor(1) as pool:
        lost = pool.submit(scene.ask, url, "soon")
        assert scene.upstream.wait_for_requests(1)
        started.stop(signal.SIGKILL)
        assert lost.exception()
    again, url = scene.start()
    answers = []

    def is_free():
        answers.append(scene.ask(url, "soon"))
        return answers[-1].status_code == 200

    again.wait_for(is_free, LEASE_SECONDS + 1)

    refused = answers[:-1]
    assert {each.status_code for each in refused} == {409}
    record_property("figure", f"{len(refused)} times 409, then 200")


def test_a_hundred_equal_posts_are_one_call_and_one_answer(scene, record_property):
    may_answer = 1.5
    scene.upstream.always(fakes.delayed(may_answer, fakes.chat("hello")))
    _, url = scene.house.serve()

    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda _: scene.ask(url, "herd"), range(100)))
    late = [scene.ask(url, "herd") for _ in range(3)]

    statuses = Counter(each.status_code for each in answers)
    assert set(statuses) == {200, 409}
    good = [each for each in (*answers, *late) if each.status_code == 200]
    assert len({each.content for each in good}) == 1
    assert sum("Idempotency-Replayed" not in each.headers for each in good) == 1
    refused = [each for each in answers if each.status_code == 409]
    assert {each.headers["Retry-After"] for each in refused} == {"1"}
    assert scene.calls("herd") == 1
    record_property("figure", f"100 posts: {dict(statuses)}, 1 upstream call")
