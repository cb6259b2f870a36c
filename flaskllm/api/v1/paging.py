"""Lists in pages: what a query may say of one, and where the next one begins."""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, Field

from flaskllm.api.v1.queries import QueryFields
from flaskllm.core.paging import Place, read_place

MOST_ON_A_PAGE = 200
USUAL_ON_A_PAGE = 50

# PostgreSQL cannot even be asked for a text that holds a NUL.
NO_NUL = r"^[^\x00]+$"

RowT = TypeVar("RowT")


def _count(value: object) -> object:
    """Return what a query says in digits as a number; the rest is refused as it is."""
    is_number = isinstance(value, str) and value.isascii() and value.isdigit()
    return int(str(value)[:10]) if is_number else value


PageSize = Annotated[int, Field(ge=1, le=MOST_ON_A_PAGE), BeforeValidator(_count)]
Following = Annotated[str, Field(min_length=1, max_length=200)]


class PageFields(QueryFields):
    """Which page."""

    limit: PageSize | None = Field(
        None, description=f"The most of a page; {USUAL_ON_A_PAGE} if absent."
    )
    after: Following | None = Field(
        None, description="`next` of the page before, to go on behind it."
    )

    @property
    def most(self) -> int:
        """Return how many rows the page has at most."""
        return self.limit or USUAL_ON_A_PAGE

    @property
    def place(self) -> Place | None:
        """Return behind what it begins; None is the start.

        Raises:
            InvalidInputError: `after` is not the end of a page.
        """
        return read_place(self.after) if self.after else None


class PageMeta(BaseModel):
    """Where the next page begins."""

    next: str | None = Field(description="For `after`; null at the end.")


class Nothing(BaseModel):
    """An empty object."""


def cut(
    found: Sequence[RowT], most: int, place_of: Callable[[RowT], Place]
) -> tuple[Sequence[RowT], str | None]:
    """Return the rows of a page, and what its `next` says.

    Args:
        found: One row more than the page has, if there is one.
        most: How many it has.
        place_of: Where a row stands.
    """
    rows = found[:most]
    return rows, place_of(rows[-1]).text() if len(found) > most else None
