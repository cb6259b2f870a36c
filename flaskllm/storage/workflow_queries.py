"""What is asked of DBOS's table of workflows; pure."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, or_, select

from flaskllm.storage.workflow_library import APPLICATION, QUEUED, RUNNING, VERSION


def executors_in(table: Table) -> Select[Any]:
    """Select the ids of those who run workflows of our version."""
    columns = table.c
    return (
        select(columns.executor_id)
        .where(columns.status == RUNNING, columns.executor_id.is_not(None))
        .where(*_ours(table))
        .distinct()
    )


def work_in(table: Table, executor_id: str) -> Select[Any]:
    """Select the ids of workflows that are queued, or run in this executor.

    In one look: a workflow that starts another one ends after it.
    """
    columns = table.c
    runs_there = and_(columns.status == RUNNING, columns.executor_id == executor_id)
    return select(columns.workflow_uuid).where(
        or_(columns.status == QUEUED, runs_there), *_ours(table)
    )


def ids_near(table: Table, ids: Sequence[str]) -> Select[Any]:
    """Select the ids of workflows that are one of these, or go on with `.` and digits.

    Each is a range of the primary key, which its index serves whatever the database's
    collation: none has a letter before a digit. A collation that takes upper case for
    lower brings others with them; the caller leaves those out.
    """
    column = table.c.workflow_uuid
    ranges = (and_(column >= id, column < f"{id}.a") for id in ids)
    return select(column).where(or_(*ranges))


def _ours(table: Table) -> tuple[ColumnElement[bool], ...]:
    columns = table.c
    return (
        columns.application_name == APPLICATION,
        columns.application_version == VERSION,
    )
