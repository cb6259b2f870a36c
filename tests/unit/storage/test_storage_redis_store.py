"""Redis: each operation ends in time, and who fails is left alone for a while."""

import socket
import threading
import time

import pytest
import redis
from log_lines import ours
from redis_server import PASSWORD

from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import InternalError, ServiceUnavailable
from flaskllm.core.metrics import Metrics
from flaskllm.storage.redis_store import OPERATION_SECONDS, RedisStore, reason_of

# What a busy machine adds to the time that we measure.
NOISE_SECONDS = 0.4


class MovedClock(SystemClock):
    """The machine's clock, moved on by hand."""

    ahead_seconds = 0.0

    def monotonic(self):
        return super().monotonic() + self.ahead_seconds

    def advance(self, seconds):
        self.ahead_seconds += seconds


class Scene:
    """A store, and how long each operation on it took."""

    def __init__(self, url):
        self.clock, self.metrics = MovedClock(), Metrics()
        self.store = RedisStore(url, self.clock, self.metrics.stores)

    def refused(self):
        """Return why an operation is refused, and after how many seconds."""
        started = time.monotonic()
        with pytest.raises(ServiceUnavailable) as caught:
            self.store.check()
        assert caught.value.retry_after_seconds == 1.0
        return caught.value.details, time.monotonic() - started

    def counted(self):
        text = self.metrics.render().decode()
        lines = dict(line.split(" ") for line in text.splitlines() if line[0] != "#")
        return (
            lines["flaskllm_redis_failures_total"],
            lines["flaskllm_redis_works"],
        )


@pytest.fixture
def scene(redis_url):
    return Scene(redis_url)


@pytest.fixture
def dripping():
    """A server that answers each command with one byte in a tenth of a second."""
    listener = socket.create_server(("127.0.0.1", 0))

    def drip():
        peer, _ = listener.accept()
        with peer:
            try:
                while True:
                    peer.sendall(b"+")
                    time.sleep(0.1)
            except OSError:
                return

    thread = threading.Thread(target=drip)
    thread.start()
    yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
    thread.join(5)
    listener.close()


def test_what_is_done_brings_its_result(scene):
    scene.store.run(lambda client: client.set("key", "value"))

    assert scene.store.run(lambda client: client.get("key")) == b"value"
    assert scene.counted() == ("0.0", "1.0")


def test_who_is_silent_is_waited_for_once_and_then_left_alone(scene, redis_server):
    scene.store.check()
    redis_server.pause()
    try:
        reason, seconds = scene.refused()
        again, at_once = scene.refused()
    finally:
        redis_server.go_on()

    assert reason == again == "It took longer than 250 ms."
    assert abs(seconds - OPERATION_SECONDS) < NOISE_SECONDS
    assert at_once < 0.1
    assert scene.counted() == ("1.0", "0.0")


def test_who_is_silent_while_it_is_connected_to_takes_no_longer(scene, redis_server):
    redis_server.pause()
    try:
        _, seconds = scene.refused()
    finally:
        redis_server.go_on()

    assert seconds < OPERATION_SECONDS + NOISE_SECONDS


def test_who_drips_takes_no_longer(dripping):
    scene = Scene(dripping)

    reason, seconds = scene.refused()
    scene.store.close()

    assert reason == "It took longer than 250 ms."
    assert seconds < OPERATION_SECONDS + NOISE_SECONDS


def test_once_a_second_somebody_asks_whether_it_is_back(scene, redis_server, caplog):
    redis_server.kill()
    try:
        reasons = [scene.refused()[0] for _ in range(3)]
        scene.clock.advance(1)
        reasons.append(scene.refused()[0])
    finally:
        redis_server.start()
    scene.refused()
    scene.clock.advance(1)
    scene.store.check()

    assert set(reasons) == {"It cannot be reached."}
    assert scene.counted() == ("2.0", "1.0")
    assert [line.message for line in ours(caplog)] == ["redis_away"]


def test_a_wrong_password_is_told_and_never_shown(redis_server):
    wrong = redis_server.url().replace("geheim", "falsch")
    scene = Scene(wrong)

    reason, _ = scene.refused()

    assert reason == "It does not accept the user or the password."
    assert PASSWORD not in reason


def test_a_name_that_is_not_there_is_told():
    reason, _ = Scene("redis://no-such-name.invalid:6379/0").refused()

    assert reason == "It cannot be reached."


def test_a_wrong_command_is_a_fault_of_ours_and_nobody_is_left_alone(scene):
    with pytest.raises(InternalError):
        scene.store.run(lambda client: client.execute_command("NOTHING"))
    with pytest.raises(ZeroDivisionError):
        scene.store.run(lambda client: 1 / 0)

    scene.store.check()


def test_a_restart_costs_those_nothing_who_did_not_meet_it(scene, redis_server):
    scene.store.check()
    redis_server.kill()
    redis_server.start()

    scene.store.check()

    assert scene.counted() == ("0.0", "1.0")


@pytest.mark.parametrize(
    ("error", "reason"),
    {
        "memory": (redis.OutOfMemoryError("OOM"), "Its memory is full."),
        "replica": (redis.ReadOnlyError("x"), "It can be read but not written."),
        "disk": (
            redis.ResponseError("MISCONF Redis is configured to"),
            "It cannot write to its disk.",
        ),
        "loading": (redis.BusyLoadingError("LOADING"), "It is starting."),
        "socket": (ConnectionResetError(), "It cannot be reached."),
        "ours": (redis.ResponseError("ERR unknown command"), None),
    }.values(),
)
def test_the_operator_is_told_what_an_error_means(error, reason):
    assert reason_of(error) == reason
