"""`flaskllm db backup` and `restore`: all of the database, in one file."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from flaskllm.cli.problems import problems_of_words_told
from flaskllm.cli.sizes import size_text
from flaskllm.cli.table import table_lines
from flaskllm.services import Services
from flaskllm.services.keeping.backups import Restored, Written

_KEEP_THE_SECRET = (
    "The master secret is not in it. Keep that apart: without it API tokens are "
    "refused and sealed content cannot be read."
)


@click.command("backup")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def backup(services: Callable[[], Services], path: Path, as_json: bool) -> None:
    """Write all of the database to a new file, also while the gateway serves.

    PATH is a file that is not there yet, or a folder. The backup was read back when
    this ends with status 0.
    """
    with problems_of_words_told():
        written = services().keeping.backups.write(path)
    click.echo(_KEEP_THE_SECRET, err=True)
    if as_json:
        _print_json(_written(written))
        return
    click.echo(f"backup: {written.path}")
    click.echo(f"size: {size_text(written.size_bytes)}")
    click.echo(f"revision: {written.revision}")
    _tell_rows(written.rows)


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace what is there, and keep it aside.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def restore(
    services: Callable[[], Services], file: Path, force: bool, as_json: bool
) -> None:
    """Put a backup in the place of the database. Stop the gateway first.

    It takes the place whole or not at all.
    """
    with problems_of_words_told():
        restored = services().keeping.backups.restore(file, replaces=force)
    if as_json:
        _print_json(_restored(restored))
        return
    click.echo(f"restored: {file.absolute()}")
    click.echo(f"revision of the backup: {restored.before}")
    if restored.kept is not None:
        click.echo(f"what was there is kept: {restored.kept}")
    _tell_rows(restored.rows)


def _written(written: Written) -> dict[str, Any]:
    return {
        "path": str(written.path),
        "size_bytes": written.size_bytes,
        "revision": written.revision,
        "rows": dict(written.rows),
    }


def _restored(restored: Restored) -> dict[str, Any]:
    kept = restored.kept
    return {
        "revision": restored.before,
        "kept": None if kept is None else str(kept),
        "rows": dict(restored.rows),
    }


def _tell_rows(rows: Mapping[str, int]) -> None:
    cells = [(name, str(count)) for name, count in rows.items() if count]
    for line in table_lines([("TABLE", "ROWS"), *cells]):
        click.echo(line)


def _print_json(data: object) -> None:
    click.echo(json.dumps(data, indent=2))
