"""The conditions that queries for usage and for its roll-ups have in common."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from sqlalchemy import ColumnElement, FromClause, literal


class HasTag(Protocol):
    """What is asked for: values by the names of columns, and one tag."""

    @property
    def tag(self) -> str | None:
        """Return the tag that must be among those of a row; None for any."""
        ...


def wanted_values(
    table: FromClause, wanted: HasTag, names: Sequence[str]
) -> Iterator[ColumnElement[bool]]:
    """Yield a condition for each of these names, and the tag, that has a value."""
    for name in names:
        value = getattr(wanted, name)
        if value is not None:
            yield table.c[name] == value
    if wanted.tag is not None:
        spaced = literal(" ") + table.c.tags + literal(" ")
        yield spaced.contains(f" {wanted.tag} ", autoescape=True)
