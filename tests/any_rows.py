"""A row for any table: what its columns take, and a principal where it has one."""

from datetime import UTC, datetime
from itertools import count

from sqlalchemy import Boolean, Integer, LargeBinary

from flaskllm.storage.columns import Sealed, UtcDateTime

AT = datetime(2030, 1, 1, tzinfo=UTC)

_numbers = count(1)
_OWNERS = ("principal_id", "subject")


def any_row(table, principal_id, **told):
    """Return values for all columns of a table; keys are unlike all others."""
    values = {each.name: _value(each, principal_id) for each in table.columns}
    return values | told


def _value(column, principal_id):
    if column.name in _OWNERS:
        return f"principal:{principal_id}" if column.name == "subject" else principal_id
    number = next(_numbers)
    kind = column.type
    if isinstance(kind, UtcDateTime):
        return AT
    if isinstance(kind, Sealed):
        return b"sealed"
    if isinstance(kind, LargeBinary):
        return number.to_bytes(32, "big")
    if isinstance(kind, Boolean):
        return False
    if isinstance(kind, Integer):
        return 0
    return f"x{number:06}"[: kind.length or 40]
