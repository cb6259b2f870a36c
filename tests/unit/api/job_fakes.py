"""Durable work for the faces: the real thing in a database in memory, but for DBOS.

Nobody works there, every document can be read, and nothing is sent.
"""

from dataclasses import dataclass
from types import SimpleNamespace

from delivery_scene import DeliveryScene, Office
from fakes import FakeClock
from idempotency_scene import key_ring, memory
from job_scene import JobHouse

from flaskllm.core.config_job_sections import JobSettings
from flaskllm.services.callbacks.deliveries import Deliveries
from flaskllm.services.callbacks.endpoints import Endpoints
from flaskllm.services.callbacks.receivers import Receivers
from flaskllm.services.jobs.accepting import Accepting
from flaskllm.services.jobs.jobs import Jobs


@dataclass(frozen=True)
class FakeWork:
    """What a face needs of durable work."""

    jobs: Jobs
    endpoints: Endpoints
    receivers: Receivers
    deliveries: Deliveries


class Trusting(Accepting):
    """Accepts every order, whatever is in it."""

    def _read(self, ordered):
        return SimpleNamespace(headers={})


def make_work():
    """Return what accepts jobs, on a clock that stands still."""
    database, clock = memory(), FakeClock()
    house = JobHouse(database, clock=clock)
    accepting = Trusting(
        house.intake, key_ring(), dict, clock, JobSettings(), is_lasting=True
    )
    jobs = Jobs(accepting, house.rows, house.endings, house.workflows, clock)
    scene = DeliveryScene(database)
    office = Office(scene)
    return FakeWork(jobs, office.endpoints, office.receivers, scene.deliveries)
