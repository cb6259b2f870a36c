"""What the commands of `flaskllm usage` share: their days, and the forms they print."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime

import click

from flaskllm.cli.table import table_lines
from flaskllm.core.csv_text import csv_text
from flaskllm.services import Services
from flaskllm.services.usage_tables import Row

Obtain = Callable[[], Services]

DAY = click.DateTime(["%Y-%m-%d"])
FORMAT = click.Choice(["text", "csv", "json"])


def day(moment: datetime | None) -> date | None:
    """Return the day that was given, if any was."""
    return moment.date() if moment else None


def told(
    form: str,
    headings: Sequence[str],
    rows: Iterator[Row],
    as_text: Callable[[Iterator[Row]], list[Sequence[str]]],
) -> Iterator[str]:
    """Yield the lines of a table in the form that was asked for."""
    if form == "csv":
        yield csv_text(headings, rows).rstrip("\r\n")
    elif form == "json":
        named = [dict(zip(headings, row, strict=True)) for row in rows]
        yield json.dumps(named, indent=2)
    else:
        yield from table_lines(as_text(rows))
