"""Batches and their items, within the transaction of somebody else.

Who writes to an item locks or writes to its batch before: so nobody waits in a circle.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, LargeBinary, func, select, type_coerce

from flaskllm.storage.job_rows import JobRow
from flaskllm.storage.jobs import LIGHT, is_open
from flaskllm.storage.tables import jobs

# Sealed, they are deflated too; longer ones nobody tells in one message.
_SHORT_BYTES: Final = 20_000


def begin(connection: Connection, batch_id: str, now: datetime) -> None:
    """Let a batch work, whose first item begins."""
    waits = jobs.c.id == batch_id, jobs.c.state == "queued"
    values = {"state": "working", "started_at": now}
    connection.execute(jobs.update().where(*waits).values(values))


def has_open_items(connection: Connection, batch_id: str) -> bool:
    """Tell whether an item has not ended."""
    left = select(jobs.c.id).where(jobs.c.batch_id == batch_id, is_open()).limit(1)
    return connection.execute(left).first() is not None


def items(connection: Connection, batch_id: str) -> list[JobRow]:
    """Return all items in order, with their results where these are short."""
    of_it = jobs.c.batch_id == batch_id
    sealed_bytes = func.sum(func.length(type_coerce(jobs.c.result, LargeBinary)))
    length = connection.execute(select(sealed_bytes).where(of_it)).scalar_one() or 0
    if length > _SHORT_BYTES:
        return light_items(connection, batch_id)
    query = select(jobs).where(of_it).order_by(jobs.c.number)
    return [JobRow(**row) for row in connection.execute(query).mappings()]


def light_items(connection: Connection, batch_id: str) -> list[JobRow]:
    """Return all items in order, without what is sealed."""
    query = select(*LIGHT).where(jobs.c.batch_id == batch_id).order_by(jobs.c.number)
    return [JobRow(**row) for row in connection.execute(query).mappings()]


def lock_open_items(connection: Connection, batch_id: str) -> list[JobRow]:
    """Return the items that have not ended, in order; they stay so until the commit."""
    opened = jobs.c.batch_id == batch_id, is_open()
    query = select(*LIGHT).where(*opened).order_by(jobs.c.number).with_for_update()
    return [JobRow(**row) for row in connection.execute(query).mappings()]


def cost_nanos(of: Sequence[JobRow]) -> int | None:
    """Return what items have cost in all; None where one is not known."""
    known = [each.cost_nanos for each in of if each.cost_nanos is not None]
    return sum(known) if len(known) == len(of) else None
