"""Many threads at one deployment."""

from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Barrier

from health_scene import UNKNOWN, USED, Scene, deployment

from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import LLMCredentialRejected
from flaskllm.llm.health import Health, Visit
from flaskllm.llm.terms import Limits

THREADS = 16


def together(work):
    """Do it in all threads at the same moment; return what each brought."""
    barrier = Barrier(THREADS)

    def wait_and_work(number):
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(wait_and_work, range(THREADS)))


def let_in(found):
    return sum(isinstance(each, Visit) for each in found)


def test_never_more_are_under_way_than_may_be():
    scene = Scene(deployment(limits=Limits(concurrent_requests=5)))

    assert let_in(together(lambda number: scene.enter())) == 5


def test_no_more_requests_are_made_than_a_minute_may_hold():
    scene = Scene(deployment(limits=Limits(requests_per_minute=5)))

    assert let_in(together(lambda number: scene.enter())) == 5


def test_one_of_all_is_the_probe():
    scene = Scene()
    scene.open()
    scene.clock.advance(5.0)

    assert let_in(together(lambda number: scene.enter())) == 1


def test_one_of_all_is_the_last_resort():
    scene = Scene()
    scene.open()

    found = together(lambda number: scene.enter(as_last_resort=True))

    assert let_in(found) == 1


def test_one_of_all_tries_a_rejected_credential_whatever_the_deployment():
    scene = Scene(*(deployment(f"d{number}") for number in range(THREADS)))
    scene.fail("d0", error=LLMCredentialRejected())
    scene.clock.advance(60.0)

    assert let_in(together(lambda number: scene.enter(f"d{number}"))) == 1


def test_no_more_than_the_budget_is_repeated():
    scene = Scene()

    assert let_in(together(lambda number: scene.enter(is_repeat=True))) == 3


def test_under_load_every_place_is_given_back_and_no_limit_is_passed():
    """Real time, real threads; failures and answers mixed."""
    health = Health(SystemClock(), Random(1))
    asked = deployment(limits=Limits(concurrent_requests=4))
    seen = set()

    def work(number):
        chance, made = Random(number), 0
        for _ in range(300):
            visit = health.enter(asked, "r", tokens=1, streams=True)
            if not isinstance(visit, Visit):
                continue
            made += 1
            in_flight = health.look(asked, "r").in_flight
            seen.add(in_flight)
            visit.heed({"x-ratelimit-remaining-tokens": "5"})
            visit.first_token(0.1)
            visit.end(None, USED if chance.random() < 0.5 else UNKNOWN, 0.2)
        return made

    made = together(work)

    stood = health.look(asked, "r")
    assert seen <= {1, 2, 3, 4}
    assert stood.in_flight == 0
    assert stood.obstacle is None
    assert sum(made) > 300
