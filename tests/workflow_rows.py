"""Workflows as they lie in DBOS's tables, for tests to look at and to place."""

from contextlib import contextmanager

from sqlalchemy import text

from flaskllm.storage.workflows import Start, Workflows


def digest(id, partition="prn_a", **options):
    """Return the start of a digest whose job has the id up to the dot."""
    return Start("digest", id, partition, (id.partition(".")[0], 1), **options)


@contextmanager
def prepared(database):
    """Give workflows that can be started, and close them in the end."""
    workflows = Workflows(database)
    workflows.prepare()
    try:
        yield workflows
    finally:
        workflows.close()


def begin(workflows, database, *starts):
    """Start them in a transaction of their own."""
    with database.transaction(durable=True) as connection:
        workflows.start(connection, *starts)


def states(workflows):
    """Return the status of every workflow by its id."""
    with workflows.engine().begin() as connection:
        rows = connection.execute(
            text(f"SELECT workflow_uuid, status FROM {_table(workflows)}")
        )
        return {row[0]: row[1] for row in rows}


def give_to(workflows, executor_id, *ids):
    """Let them run in this executor, as if it had taken them from their queue."""
    statement = (
        f"UPDATE {_table(workflows)} SET status = 'PENDING', executor_id = :executor, "
        "owner_xid = :executor WHERE workflow_uuid = :id"
    )
    with workflows.engine().begin() as connection:
        for id in ids:
            connection.execute(text(statement), {"executor": executor_id, "id": id})


def queues(workflows):
    """Return the queue of every workflow by its id."""
    with workflows.engine().begin() as connection:
        query = f"SELECT workflow_uuid, queue_name FROM {_table(workflows)}"
        return {row[0]: row[1] for row in connection.execute(text(query))}


def _table(workflows):
    is_file = workflows.engine().dialect.name == "sqlite"
    return "workflow_status" if is_file else "dbos.workflow_status"
