"""What is removed of a principal goes everywhere."""

from fakes import FakeClock
from sealers import CURRENT

from flaskllm.core.auth import BOOTSTRAP, Actor
from flaskllm.core.config import load
from flaskllm.storage.changes import CACHE, Changes
from flaskllm.wiring import build_services


def test_processes_with_a_memory_of_their_own_hear_of_a_purge(tmp_path):
    environ = {"FLASKLLM_DATABASE_URL": "sqlite://", "FLASKLLM_SECRET": CURRENT}
    services = build_services(load(environ, tmp_path), FakeClock())
    changes = Changes(services.database, CACHE)
    before = changes.read()

    services.keeping.erasing.erase(BOOTSTRAP.id, Actor("cli:test"))

    assert changes.read() == before + 1
    services.database.close()
