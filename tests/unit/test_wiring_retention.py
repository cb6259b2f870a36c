"""How long things are kept is what the settings say."""

import re
from datetime import timedelta

import pytest
from any_rows import any_row
from doc_blocks import read_doc
from fakes import FakeClock
from idempotency_scene import keyed
from sealers import CURRENT

from flaskllm.core.config import load
from flaskllm.core.errors import NotFound
from flaskllm.services.claims import Claim
from flaskllm.services.responses import KeptResponse
from flaskllm.storage.tables import audit, metadata, usage
from flaskllm.wiring import build_services

SETTINGS = {
    "FLASKLLM_DATABASE_URL": "sqlite://",
    "FLASKLLM_SECRET": CURRENT,
    "FLASKLLM_RETENTION__USAGE_DAYS": "3",
    "FLASKLLM_RETENTION__AUDIT_DAYS": "5",
    "FLASKLLM_RETENTION__RESPONSE_DAYS": "2",
    "FLASKLLM_RETENTION__IDEMPOTENCY_HOURS": "48",
}


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def services(tmp_path, clock):
    made = build_services(load(SETTINGS, tmp_path), clock)
    yield made
    made.database.close()


def test_responses(services, clock):
    services.responses.keep(KeptResponse("resp_1", {"output": []}, []), "ann")

    clock.advance(2 * 86_400 - 1)
    assert services.responses.find("resp_1", "ann")
    clock.advance(1)
    with pytest.raises(NotFound):
        services.responses.find("resp_1", "ann")


def test_answers_of_idempotency_keys(services, clock):
    asked = keyed(principal_id="ann")
    claim = services.idempotency.claim(asked)
    services.idempotency.store(claim, 200, (), b"answer")

    clock.advance(47 * 3600)
    assert services.idempotency.claim(asked).body == b"answer"
    clock.advance(2 * 3600)
    again = services.idempotency.claim(asked)
    assert isinstance(again, Claim)
    services.idempotency.release(again, "the test is over")


def test_attempts_and_the_audit(services, clock):
    row = any_row(usage, "ann", created_at=clock.now())
    noted = any_row(audit, "ann", at=clock.now())
    with services.database.transaction() as connection:
        connection.execute(usage.insert().values(row))
        connection.execute(audit.insert().values(noted))

    done = []
    for days in (2.9, 1.9, 1):
        clock.advance(timedelta(days=days).total_seconds())
        counts = services.housekeeping.run_due()
        done.append((counts["usage"], counts["audit"]))

    assert done == [(0, 0), (1, 0), (0, 1)]


def test_every_duty_is_told(services):
    rows = re.findall(
        r"^\| `(\w+)` \| (?:\d+ )?(?:minute|hour)", read_doc("docs/storage.md"), re.M
    )

    assert rows == [*services.housekeeping.run_due()]


def test_stats_tell_of_every_table_what_the_page_tells(services):
    told = services.keeping.sizes.tell()
    page = read_doc("docs/backup.md")

    assert told.kept["usage"] == "3 days (retention.usage_days)"
    assert told.kept.keys() == {*metadata.tables, "alembic_version"}
    for name, kept in told.kept.items():
        for setting in re.findall(r"\((.*)\)", kept):
            assert re.search(rf"^\|.*`{name}`.*`{setting}`", page, re.MULTILINE), name
