"""What holds on SQLite and on PostgreSQL alike."""

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from database_rows import COUNT, INSERT, count
from sqlalchemy import text

from flaskllm.core.errors import InternalError, ServiceUnavailable
from flaskllm.storage import schema
from flaskllm.storage.tables import metadata


@pytest.fixture
def database(database_url, make_database):
    """A fresh database of either store."""
    return make_database(database_url)


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request, make_database, tmp_path):
    """A database of either store without a schema."""
    if request.param == "sqlite":
        return make_database(f"sqlite:///{tmp_path}/new.db")
    return make_database(request.getfixturevalue("empty_postgres_url"))


def insert(database, name, **options):
    with database.transaction(**options) as connection:
        connection.execute(INSERT, {"id": name})


@pytest.mark.parametrize("durable", [False, True])
def test_a_transaction_is_kept(database, durable):
    insert(database, "a", durable=durable)

    assert count(database) == 1


def test_a_transaction_that_fails_leaves_nothing(database):
    def fail():
        with database.transaction() as connection:
            connection.execute(INSERT, {"id": "a"})
            raise KeyError("ours")

    with pytest.raises(KeyError):
        fail()
    assert count(database) == 0


def test_a_reader_sees_one_state(database):
    with database.reading() as reader:
        assert reader.execute(COUNT).scalar_one() == 0
        insert(database, "a")
        assert reader.execute(COUNT).scalar_one() == 0

    assert count(database) == 1


def test_threads_share_one_database(database):
    barrier = threading.Barrier(6)

    def write(name):
        barrier.wait()
        for number in range(10):
            insert(database, f"{name}-{number}")

    threads = [threading.Thread(target=write, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert count(database) == 60


def test_it_answers(database):
    database.check()


def test_only_a_server_is_shared_with_other_hosts(database, database_url):
    assert database.is_shared is database_url.startswith("postgresql")


def test_the_revisions_lead_to_the_declared_tables(database):
    with database.reading() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []


def test_an_upgrade_tells_whether_it_changed_anything(empty):
    assert empty.upgrade() is True
    assert empty.upgrade() is False
    empty.close()
    assert empty.upgrade() is False


def test_the_first_transaction_brings_the_schema_up_to_date(empty):
    insert(empty, "a")

    with empty.reading() as connection:
        assert schema.revision_of(connection) == schema.HEAD


def test_threads_that_start_together_migrate_once(empty):
    barrier, changes = threading.Barrier(6), []

    def start():
        barrier.wait()
        changes.append(empty.upgrade())

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(changes) == [False] * 5 + [True]


def test_a_newer_schema_is_refused_and_kept(database, database_url, make_database):
    with database.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(ServiceUnavailable) as refused:
        make_database(database_url).check()

    assert "revision '9999'" in refused.value.details
    assert f"newer than {schema.HEAD!r}" in refused.value.details
    with database.reading() as connection:
        assert schema.revision_of(connection) == "9999"


def test_a_revision_that_fails_half_way_leaves_nothing(database, make_database):
    with database.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0004'"))

    database.close()
    with pytest.raises(InternalError):  # its columns are there already
        database.upgrade()

    assert database.examine().revision == "0004"


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        pytest.param("SELECT nothing FROM nowhere", {}, id="wrong-statement"),
        pytest.param(str(INSERT), {"id": None}, id="constraint"),
        pytest.param(str(INSERT), {}, id="missing-parameter"),
    ],
)
def test_a_wrong_statement_is_our_own_fault(database, statement, parameters):
    def run():
        with database.transaction() as connection:
            connection.execute(text(statement), parameters)

    with pytest.raises(InternalError) as told:
        run()

    assert told.value.__cause__ is not None
    assert told.value.details == ""


class TestExamining:
    """What `flaskllm db check` tells."""

    def test_a_sound_database_is_told_with_its_product(self, database, database_url):
        found = database.examine()

        product = "PostgreSQL 1" if "postgres" in database_url else "SQLite 3"
        assert found.product.startswith(product)
        assert (found.revision, found.faults) == (schema.HEAD, ())

    def test_a_database_without_a_schema_is_told(self, empty):
        empty.check()
        with empty.transaction() as connection:
            connection.execute(text("DROP TABLE alembic_version"))

        found = empty.examine()

        assert found.revision is None
        assert "no schema yet" in found.faults[0]

    @pytest.mark.parametrize(
        ("revision", "words"),
        [("0004", "`flaskllm db upgrade`"), ("9999", "restore a backup")],
    )
    def test_another_revision_is_told_with_what_to_do(self, database, revision, words):
        with database.transaction() as connection:
            statement = "UPDATE alembic_version SET version_num = :revision"
            connection.execute(text(statement), {"revision": revision})

        found = database.examine()

        assert found.revision == revision
        assert words in found.faults[0]
