"""What a principal made goes from every table, others' stays, and so do accounts."""

from contextlib import contextmanager

import pytest
from any_rows import any_row
from api_tokens import make_token
from fakes import FakeClock
from job_scene import FakeWorkflows
from sealers import CURRENT
from sqlalchemy import event, func, select, text

from flaskllm.core.auth import Actor, Scope
from flaskllm.core.config import load
from flaskllm.core.errors import Conflict, NotFound
from flaskllm.services.keeping import erasing as module
from flaskllm.services.keeping.erasing import Erasing
from flaskllm.storage.api_tokens import ApiTokens
from flaskllm.storage.audit import AuditRows, WantedRows
from flaskllm.storage.database import Database
from flaskllm.storage.erasing import (
    ACCOUNTS,
    CONTENT,
    GOES_ALONG,
    REMOVED_BY_OTHERS,
    WHY_IT_STAYS,
    PrincipalData,
)
from flaskllm.storage.job_endings import JobEndings
from flaskllm.storage.tables import (
    deliveries,
    delivery_attempts,
    documents,
    job_steps,
    jobs,
    metadata,
    reservations,
    usage,
)
from flaskllm.wiring import build_services

ACTOR = Actor("cli:test")
OWNED = (*CONTENT, *ACCOUNTS)


class Scene:
    """A database with rows of two principals in every table, and what erases."""

    def __init__(self, url, folder):
        self.clock = FakeClock()
        environ = {"FLASKLLM_DATABASE_URL": url, "FLASKLLM_SECRET": CURRENT}
        self.services = build_services(load(environ, folder), self.clock)
        self.database = self.services.database
        self.workflows = FakeWorkflows()
        self.forgotten, self.cached = [], {}
        endings = JobEndings(
            self.database, self.workflows, self.clock, lambda *told: None
        )
        self.erasing = Erasing(
            PrincipalData(self.database, self.workflows),
            endings,
            self.workflows,
            ApiTokens(self.database),
            AuditRows(self.database),
            self.database,
            self.clock,
            self.forget_answers,
        )
        self.ann, self.bob = self.make_token(), self.make_token()

    def forget_answers(self, principal_id):
        self.forgotten.append(principal_id)
        return self.cached.pop(principal_id, 0)

    def make_token(self):
        return make_token(self.services.api_tokens, Scope.CHAT).id

    def add(self, table, principal_id, **told):
        row = any_row(table, principal_id, **told)
        with self.database.transaction() as connection:
            connection.execute(table.insert().values(row))
        return row

    def fill(self, principal_id, rows=3):
        for table in OWNED:
            for _ in range(rows):
                row = self.add(table, principal_id, **USUAL.get(table.name, {}))
                if table is jobs:
                    self.add(job_steps, None, job_id=row["id"])
                if table is deliveries:
                    self.add(delivery_attempts, None, delivery_id=row["id"])

    def counts(self, principal_id):
        """Return how many rows of each table are a principal's."""
        with self.database.reading() as connection:
            return {
                table.name: connection.execute(
                    select(func.count()).where(_is_of(table, principal_id))
                ).scalar_one()
                for table in OWNED
            }

    def total(self, table):
        with self.database.reading() as connection:
            query = select(func.count()).select_from(table)
            return connection.execute(query).scalar_one()

    def audited(self):
        rows = AuditRows(self.database).page(10, WantedRows(action="token.purge"))
        return sorted(row.action for row in rows)


USUAL = {
    "jobs": {"state": "done", "kind": "digest", "batch_id": None},
    "ledger": {"entry": "settle"},
    "spending": {"reserved_nanos": 0},
}


def _is_of(table, principal_id):
    if "principal_id" in table.c:
        return table.c.principal_id == principal_id
    return table.c.subject == f"principal:{principal_id}"


@pytest.fixture
def scene(database_url, tmp_path):
    made = Scene(database_url, tmp_path)
    yield made
    made.services.workflows.close()
    made.database.close()


def test_every_table_is_emptied_or_says_why_it_stays():
    groups = [
        {table.name for table in CONTENT},
        {column.table.name for column in GOES_ALONG.values()},
        {table.name for table in ACCOUNTS},
        set(WHY_IT_STAYS),
        REMOVED_BY_OTHERS,
    ]

    assert sum(map(len, groups)) == len(set().union(*groups))
    assert set().union(*groups) == set(metadata.tables)


def test_content_goes_and_accounts_stay(scene):
    scene.fill(scene.ann)
    scene.fill(scene.bob)

    erased = scene.erasing.erase(scene.ann, ACTOR)

    names = [table.name for table in CONTENT]
    assert erased.is_complete
    assert erased.counts == dict.fromkeys(names, 3)
    left = scene.counts(scene.ann)
    assert {name for name, count in left.items() if count} == {
        table.name for table in ACCOUNTS
    }
    assert set(scene.counts(scene.bob).values()) == {3}
    assert scene.total(job_steps) == scene.total(delivery_attempts) == 3
    assert len(scene.workflows.deleted) == 6  # of three jobs and three deliveries


def test_cached_answers_go_wherever_they_are(scene):
    scene.cached = {scene.ann: 7, scene.bob: 5}

    assert scene.erasing.erase(scene.ann, ACTOR).counts == {"cache": 7}
    assert scene.forgotten == [scene.ann]
    assert scene.cached == {scene.bob: 5}


def test_it_is_noted_when_it_begins_and_when_it_is_done(scene):
    scene.fill(scene.ann, 1)

    scene.erasing.erase(scene.ann, ACTOR)

    assert scene.audited() == ["token.purge", "token.purged"]


def test_open_jobs_are_cancelled_first_batches_before_their_items(scene):
    usual = {"state": "queued", "batch_id": None, "document_id": None}
    batch = scene.add(jobs, scene.ann, **usual | {"kind": "batch"})["id"]
    item = usual | {"kind": "digest", "batch_id": batch}
    scene.add(jobs, scene.ann, **item)
    scene.add(jobs, scene.ann, **usual | {"kind": "digest"})
    scene.add(jobs, scene.bob, **usual | {"kind": "digest"})

    erased = scene.erasing.erase(scene.ann, ACTOR)

    assert erased.counts == {"cancelled": 2, "jobs": 3}
    assert len(scene.workflows.cancelled) == 2
    assert scene.total(jobs) == 1


def test_who_runs_out_of_time_goes_on_with_what_is_left(scene, monkeypatch):
    monkeypatch.setattr(module, "MOST_AT_ONCE", 2)
    scene.fill(scene.ann, 5)
    scene.erasing._data = Slowly(scene.erasing._data, scene.clock)
    told = []
    for _ in range(20):
        erased = scene.erasing.erase(scene.ann, ACTOR, most_seconds=12)
        told.append(erased)
        if erased.is_complete:
            break

    assert 1 < len(told) < 20
    assert sum(sum(each.counts.values()) for each in told) == 5 * len(CONTENT)
    assert scene.audited().count("token.purged") == 1


class Slowly:
    """Takes a second for each transaction."""

    def __init__(self, data, clock):
        self._data = data
        self._clock = clock

    def __getattr__(self, name):
        self._clock.advance(1)
        return getattr(self._data, name)


def test_accounts_go_of_who_is_revoked(scene):
    scene.fill(scene.ann)
    scene.fill(scene.bob)

    with pytest.raises(Conflict):
        scene.erasing.erase(scene.ann, ACTOR, accounts=True)
    scene.services.api_tokens.revoke(scene.ann, actor=ACTOR)
    erased = scene.erasing.erase(scene.ann, ACTOR, accounts=True)

    assert erased.is_complete
    assert {erased.counts[table.name] for table in ACCOUNTS} == {3}
    assert set(scene.counts(scene.ann).values()) == {0}
    assert set(scene.counts(scene.bob).values()) == {3}


def test_accounts_wait_for_attempts_that_are_under_way(scene):
    scene.fill(scene.ann)
    scene.add(reservations, scene.ann)
    scene.services.api_tokens.revoke(scene.ann, actor=ACTOR)

    erased = scene.erasing.erase(scene.ann, ACTOR, accounts=True)

    assert not erased.is_complete
    assert scene.counts(scene.ann)["usage"] == 3


@pytest.mark.parametrize("part", ["open_jobs", "usage", "ledger"])
def test_every_part_ends_in_time(scene, part):
    scene.services.api_tokens.revoke(scene.ann, actor=ACTOR)
    if part == "open_jobs":
        scene.add(jobs, scene.ann, state="queued", kind="digest", batch_id=None)
        scene.erasing._data = Slowly(scene.erasing._data, scene.clock)
        seconds = 0.5
    else:
        scene.erasing._data = Slowly(scene.erasing._data, scene.clock)
        # The jobs, each table of content, the attempts; then usage.
        seconds = len(CONTENT) + {"usage": 2, "ledger": 3}[part] - 0.5

    erased = scene.erasing.erase(scene.ann, ACTOR, accounts=True, most_seconds=seconds)

    assert not erased.is_complete


def test_longer_accounts_go_batch_by_batch(scene, monkeypatch):
    monkeypatch.setattr(module, "_MOST_NUMBERS", 2)
    scene.fill(scene.ann, 5)
    scene.services.api_tokens.revoke(scene.ann, actor=ACTOR)

    erased = scene.erasing.erase(scene.ann, ACTOR, accounts=True)

    assert (erased.counts["usage"], erased.counts["ledger"]) == (5, 5)
    assert scene.total(usage) == 0


def test_nobody_who_writes_waits_while_entries_are_looked_for(scene, monkeypatch):
    scene.fill(scene.ann, 2)
    transaction, said = Database.transaction, []

    @contextmanager
    def heard(database):
        with transaction(database) as connection:
            event.listen(
                connection,
                "before_cursor_execute",
                lambda *told: said.append(told[2].split()[0]),
            )
            yield connection

    monkeypatch.setattr(Database, "transaction", heard)
    data = PrincipalData(scene.database, scene.workflows)

    assert data.remove_entries(scene.ann, None, 10) == (2, None)
    assert data.remove_entries(scene.ann, None, 10) == (0, None)
    assert said == ["DELETE"]


def test_who_has_no_api_token_can_be_erased_too(scene):
    scene.add(documents, "bootstrap")

    assert scene.erasing.erase("bootstrap", ACTOR).counts == {"documents": 1}
    with pytest.raises(Conflict):
        scene.erasing.erase("bootstrap", ACTOR, accounts=True)
    with pytest.raises(NotFound):
        scene.erasing.erase("nobody", ACTOR)


def test_no_byte_of_what_went_is_left_in_a_file_or_its_log(
    sqlite_database_url, tmp_path
):
    scene = Scene(sqlite_database_url, tmp_path)
    scene.fill(scene.ann, 1)
    sealed = text("SELECT body FROM responses")
    with scene.database.reading() as connection:
        body = connection.execute(sealed).scalar_one()

    def is_there():
        files = tmp_path.glob("store.db*")
        return any(bytes(body) in each.read_bytes() for each in files)

    assert is_there()
    scene.erasing.erase(scene.ann, ACTOR)

    # Its process still has the database open.
    assert not is_there()
    scene.database.close()
