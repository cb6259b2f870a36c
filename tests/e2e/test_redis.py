"""The real server on a Redis that fails: every request is answered all the same."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from fakes import Upstream, chat
from processes import SCRIPTED, bearer, open_house

QUESTION = {"model": "scripted", "messages": [{"role": "user", "content": "Hi."}]}
REQUESTS = 40
# An operation takes 250 ms at most; the rest is what a busy machine adds.
LONGEST_SECONDS = 1.5


class Scene:
    """Two web processes on one Redis, and a principal with a limit."""

    def __init__(self, house, upstream, redis_server):
        self._house = house
        upstream.always(chat("Hello."))
        house.write_settings(SCRIPTED.format(url=upstream.url))
        house.environ["FLASKLLM_REDIS_URL"] = redis_server.url(1)
        self.token = house.make_token("--scope=chat", "--requests-per-minute=10000")
        self.started, self.url = house.serve(FLASKLLM_SERVER__WORKERS="2")
        self.started.wait_for(lambda: len(self.started.workers()) == 2)

    def make_token(self, requests_per_minute):
        limit = f"--requests-per-minute={requests_per_minute}"
        return self._house.make_token("--scope=chat", limit)

    def ask(self, token=None):
        """Return the status of one question, and how long it took."""
        started = time.monotonic()
        address = f"{self.url}/v1/chat/completions"
        answer = requests.post(
            address, json=QUESTION, headers=bearer(token or self.token), timeout=30
        )
        return answer.status_code, time.monotonic() - started

    def ask_many(self, token=None, count=REQUESTS):
        with ThreadPoolExecutor(4) as threads:
            asked = [threads.submit(self.ask, token) for _ in range(count)]
            return zip(*(each.result() for each in asked), strict=True)

    def readiness(self):
        reply = requests.get(f"{self.url}/api/v1/health/ready", timeout=5)
        return reply.status_code, reply.json()["data"]["status"]

    def wait_until(self, status):
        self.started.wait_for(lambda: self.readiness() == (200, status))

    def revoke(self, token):
        revoked = self._house.run("tokens", "revoke", token.split("_")[2][:12])
        assert revoked.returncode == 0, revoked.stderr


@pytest.fixture(scope="module")
def scene(redis_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("redis")
    with open_house(folder) as house, Upstream() as upstream:
        opened = Scene(house, upstream, redis_server)
        yield opened
        assert not [
            line for line in opened.started.events() if "Traceback" in str(line)
        ]


@pytest.fixture(autouse=True)
def heal(scene, redis_server):
    """Bring Redis back, and wait until the server has noticed."""
    yield
    scene.wait_until("ready")


def counts(redis_server):
    return redis_server.client(1).keys("flaskllm:limits:*")


def test_a_limit_holds_over_both_processes(scene, redis_server):
    statuses, _ = scene.ask_many(scene.make_token(10))

    assert sorted(statuses) == [200] * 10 + [429] * (REQUESTS - 10)
    assert counts(redis_server)


def test_killed_it_costs_no_answer_and_is_used_again_when_it_is_back(
    scene, redis_server
):
    token = scene.make_token(10)
    redis_server.kill()
    try:
        statuses, _ = scene.ask_many()
        scene.wait_until("degraded")
        limited, _ = scene.ask_many(token)
    finally:
        redis_server.start()

    assert set(statuses) == {200}
    # Each of the two counts by itself.
    assert 10 <= limited.count(200) <= 20
    assert set(limited) <= {200, 429}
    scene.wait_until("ready")
    scene.started.wait_for(lambda: scene.ask()[0] == 200 and counts(redis_server))


def test_stopped_it_takes_a_quarter_of_a_second_of_a_few_and_no_answer(
    scene, redis_server, record_property
):
    redis_server.pause()
    try:
        statuses, seconds = scene.ask_many()
    finally:
        redis_server.go_on()

    slow = sum(each >= 0.25 for each in seconds)
    record_property("figure", f"{slow} of {REQUESTS} waited, {max(seconds):.2f} s most")
    assert set(statuses) == {200}
    assert max(seconds) < LONGEST_SECONDS
    assert slow < REQUESTS / 2


def test_slow_it_is_done_without(scene, redis_server):
    redis_server.client().execute_command("CLIENT", "PAUSE", 1500, "ALL")

    statuses, seconds = scene.ask_many()

    assert set(statuses) == {200}
    assert max(seconds) < LONGEST_SECONDS


def test_restarted_empty_it_is_filled_again(scene, redis_server):
    scene.ask()
    redis_server.kill()
    redis_server.start()

    statuses, _ = scene.ask_many()

    assert set(statuses) == {200}
    scene.started.wait_for(lambda: scene.ask()[0] == 200 and counts(redis_server))


def test_an_api_token_is_refused_within_a_second_of_its_end(scene, redis_server):
    token = scene.make_token(1000)
    assert {scene.ask(token)[0] for _ in range(6)} == {200}

    scene.revoke(token)
    time.sleep(1.2)

    assert {scene.ask(token)[0] for _ in range(6)} == {401}
