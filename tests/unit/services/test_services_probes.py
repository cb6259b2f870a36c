"""Idle upstreams are asked for their models, over a real socket; others are not."""

import threading
from random import Random

import pytest
from fakes import Upstream, hang, json_reply, raw, reset, status
from log_lines import ours
from routing_scene import FakeHealth
from transports import Timed

from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import LLMCredentialRejected
from flaskllm.llm.catalog import Catalog, Route
from flaskllm.llm.health import Health, Obstacle, Standing
from flaskllm.llm.providers import build_provider
from flaskllm.llm.types import Deployment, Usage
from flaskllm.net.transport import Transport
from flaskllm.services.probes import Probed, Probes

MINI = Deployment("mini", "box", "openai_compatible", "m-1")
SAMPLE = Deployment("box", "box", "openai_compatible", "*")
LISTED = json_reply({"object": "list", "data": [{"id": "m-1", "object": "model"}]})
OUT = Standing(obstacle=Obstacle("credential", 30.0))


class ShiftedClock(SystemClock):
    """The machine's clock, and what a test adds to it."""

    def __init__(self):
        self.added = 0.0

    def monotonic(self):
        return super().monotonic() + self.added

    def advance(self, seconds):
        self.added += seconds


class Middle(Random):
    """Draws what makes no jitter."""

    def random(self):
        return 0.5


class Scene:
    """Probes of one provider at a scripted upstream."""

    def __init__(self, upstream, health, clock, **changed):
        self.clock = clock
        self.transport = Transport(
            pool_size=1,
            connect_timeout_seconds=1.0,
            proxies=lambda url: None,
            ca_bundle=None,
        )
        deployments = changed.get("deployments", {"mini": MINI})
        routes = [Route(alias=name, weights={name: 1}) for name in deployments]
        kind = changed.get("kind", "openai_compatible")
        credential = "k" * 20
        provider = build_provider(kind, f"{upstream.url}/v1", credential, clock)
        self.probed = Probed(
            Catalog(tuple(routes), deployments, samples={"box": SAMPLE}),
            {"box": provider, "own": build_provider("extractive", None, None, clock)},
            {"box": self.transport},
            changed.get("idle_seconds", 60.0),
        )
        self.probes = Probes(
            lambda: self.probed,
            health,
            clock,
            changed.get("random", Middle()),
            threaded=changed.get("threaded", False),
        )

    def probe(self, after_seconds=0.0):
        self.clock.advance(after_seconds)
        self.probes.probe_due(self.clock.monotonic())


@pytest.fixture
def clock():
    return ShiftedClock()


@pytest.fixture
def health():
    return FakeHealth(idle={"box": 61.0})


@pytest.fixture
def make(upstream, health, clock):
    made = []

    def scene(**changed):
        given = {"health": health, **changed}
        made.append(Scene(upstream, clock=clock, **given))
        return made[-1]

    yield scene
    for each in made:
        each.transport.close()


ANSWERS = {
    "the list": (LISTED, [("box", "reached")]),
    "no such route": (status(404), [("box", "reached")]),
    "no such method": (status(405), [("box", "reached")]),
    "not implemented": (status(501), [("box", "reached")]),
    "not for this credential": (status(401), [("box", "reached")]),
    "not allowed": (status(403), [("box", "reached")]),
    "too slow": (status(408), []),
    "too often": (status(429), []),
    "an error": (status(500), [("box", "LLM_SERVER_ERROR")]),
    "down": (status(503), [("box", "LLM_UNAVAILABLE")]),
    "a reset": (reset(), [("box", "LLM_SERVER_ERROR")]),
    "no HTTP": (raw(b"SSH-2.0-x\r\n"), [("box", "LLM_PROTOCOL_ERROR")]),
}


@pytest.mark.parametrize(("answer", "told"), ANSWERS.values(), ids=list(ANSWERS))
def test_what_an_idle_upstream_answers_is_told(make, upstream, health, answer, told):
    upstream.always(answer)

    make().probe()

    assert health.told == told
    assert [(each.method, each.path) for each in upstream.requests] == [
        ("GET", "/v1/models")
    ]


def test_nobody_at_the_address_is_told(make, upstream, health):
    scene = make()
    upstream.stop()

    scene.probe()

    assert health.told == [("box", "LLM_UNAVAILABLE")]


def test_one_that_was_asked_lately_is_left_alone(make, upstream, health):
    scene = make()
    for health.idle["box"] in (0.0, 59.9):
        scene.probe()

    assert upstream.requests == []


def test_one_that_let_somebody_wait_in_vain_is_asked_every_ten_seconds(
    make, upstream, health
):
    upstream.always(LISTED)
    health.idle["box"] = 0.0
    health.silent.add("box")
    scene = make()
    counts = []

    for seconds in (0.0, 9.0, 2.0):
        scene.probe(seconds)
        counts.append(len(upstream.requests))

    assert counts == [1, 1, 2]


def test_one_that_does_not_answer_is_given_up_after_three_seconds(
    make, upstream, health
):
    upstream.always(hang())

    with Timed() as took:
        make().probe()

    assert health.told == [("box", "LLM_TIMEOUT")]
    assert 2.9 < took.seconds < 6.0


def test_one_that_never_was_asked_is_idle_since_the_start(make, upstream, health):
    health.idle.clear()
    upstream.always(LISTED)
    scene = make()

    scene.probe(59.0)
    assert upstream.requests == []
    scene.probe(2.0)

    assert len(upstream.requests) == 1


def test_one_that_nobody_uses_is_never_asked(make, upstream, health):
    health.idle.clear()

    make(deployments={}).probe(1000.0)

    assert upstream.requests == []


def test_it_is_asked_again_after_the_same_time(make, upstream):
    upstream.always(LISTED)
    scene = make()
    counts = []

    for seconds in (0.0, 30.0, 29.0, 2.0, 58.0):
        scene.probe(seconds)
        counts.append(len(upstream.requests))

    assert counts == [1, 1, 1, 2, 2]


@pytest.mark.parametrize(("draw", "seconds"), [(0.0, 48.0), (0.999, 71.9)])
def test_processes_do_not_march_in_step(make, upstream, draw, seconds):
    class Drawn(Random):
        def random(self):
            return draw

    upstream.always(LISTED)
    scene = make(random=Drawn())
    scene.probe()

    scene.probe(seconds - 0.5)
    assert len(upstream.requests) == 1
    scene.probe(0.6)

    assert len(upstream.requests) == 2


def test_without_idle_seconds_nobody_is_asked(make, upstream, health):
    health.standings["mini"] = OUT

    make(idle_seconds=0.0).probe(1000.0)

    assert upstream.requests == []


def test_a_provider_that_lists_nothing_is_not_asked(make, upstream):
    make(kind="perplexity").probe()

    assert upstream.requests == []


class TestCredential:
    """One that was rejected is asked about once a minute."""

    @pytest.fixture
    def scene(self, make, health):
        health.idle["box"] = 0.0
        health.standings["mini"] = OUT
        return make(idle_seconds=600.0)

    def test_it_is_asked_about_after_a_minute_whoever_else_asks(
        self, scene, upstream, health
    ):
        upstream.always(status(401))
        counts = []

        for seconds in (0.0, 59.0, 2.0, 57.0, 4.0):
            scene.probe(seconds)
            counts.append(len(upstream.requests))

        assert counts == [0, 0, 1, 1, 2]
        assert health.told == []

    @pytest.mark.parametrize("answer", [status(401), status(403), status(404)])
    def test_only_the_list_speaks_for_it(self, scene, upstream, health, answer):
        upstream.script(answer)
        upstream.always(LISTED)
        scene.probe()

        scene.probe(61.0)
        assert health.told == []
        scene.probe(61.0)

        assert health.told == [("box", "reached")]

    def test_one_that_is_good_again_is_asked_about_only_when_it_is_idle(
        self, scene, upstream, health
    ):
        upstream.always(LISTED)
        scene.probe()
        scene.probe(61.0)
        health.standings.clear()

        scene.probe(120.0)

        assert len(upstream.requests) == 1

    def test_that_of_a_provider_that_is_only_named_directly_counts_too(
        self, make, upstream, health
    ):
        health.standings["box"] = OUT
        upstream.always(LISTED)
        scene = make(deployments={}, idle_seconds=600.0)
        scene.probe()
        scene.probe(61.0)

        assert health.told == [("box", "reached")]

    def test_one_model_that_it_may_not_use_is_no_rejected_credential(
        self, make, upstream, health
    ):
        health.idle["box"] = 0.0
        health.standings["mini"] = OUT
        other = Deployment("other", "box", "openai_compatible", "m-2")
        scene = make(deployments={"mini": MINI, "other": other})
        scene.probe()
        scene.probe(61.0)

        assert upstream.requests == []

    def test_it_comes_back_without_a_request_of_a_caller(self, make, upstream, clock):
        health = Health(clock, Random(1))
        visit = health.enter(MINI, "a", tokens=1, streams=False)
        visit.end(LLMCredentialRejected(), Usage(), 0.1)
        upstream.always(LISTED)
        scene = make(health=health)

        scene.probe()
        assert health.look(MINI).obstacle.reason == "credential"
        scene.probe(59.0)
        scene.probe(2.0)

        assert health.look(MINI).obstacle is None
        assert len(upstream.requests) == 1


class TestThread:
    def test_it_begins_with_its_first_use(self, make, upstream):
        upstream.always(LISTED)
        before = threading.active_count()
        scene = make(threaded=True)

        assert threading.active_count() == before
        scene.probes.begin()

        assert upstream.wait_for_requests(1)

    def test_without_threads_there_are_no_probes(self, make):
        scene = make()
        before = threading.active_count()

        scene.probes.begin()

        assert threading.active_count() == before

    def test_a_fault_of_ours_is_logged_and_does_not_end_it(self, health, clock, caplog):
        def broken():
            raise KeyError("somebody's text")

        probes = Probes(broken, health, clock, Middle(), threaded=False)
        probes._run()
        probes._run()

        assert [line.fields for line in ours(caplog)] == [{"code": "KeyError"}] * 2

    def test_an_error_of_ours_is_logged_by_its_code(self, health, clock, caplog):
        def rejected():
            raise LLMCredentialRejected

        Probes(rejected, health, clock, Middle(), threaded=False)._run()

        (line,) = ours(caplog)
        assert line.fields == {"code": "LLM_CREDENTIAL_REJECTED"}


def test_after_a_reload_those_of_the_new_settings_are_asked(make, upstream, clock):
    with Upstream() as another:
        another.always(LISTED)
        scene = make()
        other = Scene(another, FakeHealth(), clock)
        scene.probed = other.probed

        scene.probe()
        other.transport.close()

        assert (len(upstream.requests), len(another.requests)) == (0, 1)
