"""What is asked of DBOS's table of workflows; pure."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, case, func, or_, select

from flaskllm.storage.workflow_library import APPLICATION, QUEUED, RUNNING, VERSION

# What tells where one text begins in another, by dialect.
_FIND = {"sqlite": "instr", "postgresql": "strpos"}


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


def ids_in(table: Table, ids: Sequence[str], dialect: str) -> Select[Any]:
    """Select the ids of workflows that are one of these, or begin with `id.`."""
    column = table.c.workflow_uuid
    dot = getattr(func, _FIND[dialect])(column, ".")
    before = case((dot > 0, func.substr(column, 1, dot - 1)), else_=column)
    return select(column).where(before.in_(ids))


def _ours(table: Table) -> tuple[ColumnElement[bool], ...]:
    columns = table.c
    return (
        columns.application_name == APPLICATION,
        columns.application_version == VERSION,
    )
