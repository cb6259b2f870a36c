"""`flaskllm db stats`: how large the database is, and why."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click

from flaskllm.cli.problems import problems_told
from flaskllm.cli.sizes import size_text
from flaskllm.cli.table import table_lines
from flaskllm.services import Services
from flaskllm.services.keeping.sizes import TableSize, Told

_HEADINGS = ("TABLE", "ROWS", "SIZE", "OLDEST", "KEPT")


@click.command("stats")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def stats(services: Callable[[], Services], as_json: bool) -> None:
    """Tell how large the database is, table by table, and how long what is kept.

    It is fast on large databases: there numbers of rows are estimates, which are
    marked, and not every size is known.
    """
    with problems_told():
        told = services().keeping.sizes.tell()
    if as_json:
        click.echo(json.dumps(_as_json(told), indent=2))
        return
    size = told.size
    click.echo(f"size: {size_text(size.size_bytes)}")
    if size.free_bytes is not None:
        click.echo(f"of it free: {size_text(size.free_bytes)}")
    if size.log_bytes is not None:
        click.echo(f"write-ahead log: {size_text(size.log_bytes)}")
    cells = [_cells(each, told.kept.get(each.name, "")) for each in size.tables]
    for line in table_lines([_HEADINGS, *cells]):
        click.echo(line)


def _cells(table: TableSize, kept: str) -> tuple[str, ...]:
    return (
        table.name,
        f"about {table.rows}" if table.is_about else str(table.rows),
        "-" if table.size_bytes is None else size_text(table.size_bytes),
        f"{table.oldest:%Y-%m-%dT%H:%MZ}" if table.oldest else "-",
        kept,
    )


def _as_json(told: Told) -> dict[str, Any]:
    size = told.size
    return {
        "size_bytes": size.size_bytes,
        "free_bytes": size.free_bytes,
        "log_bytes": size.log_bytes,
        "tables": [_row(each, told.kept.get(each.name)) for each in size.tables],
    }


def _row(table: TableSize, kept: str | None) -> dict[str, Any]:
    oldest = table.oldest.isoformat() if table.oldest else None
    return {**asdict(table), "oldest": oldest, "kept": kept}
