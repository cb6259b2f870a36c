"""`flaskllm config`: look at the configuration without starting anything."""

import os
from pathlib import Path
from typing import NoReturn

import click

from flaskllm.cli.config_check import run_checks
from flaskllm.cli.config_report import report_json, report_text
from flaskllm.cli.config_text import example_text, schema_text, show_text
from flaskllm.cli.discover import discover
from flaskllm.cli.live_checks import ask_upstreams
from flaskllm.core.config import (
    ConfigError,
    Loaded,
    examine_process,
    load_from_process,
    reload_mark,
)
from flaskllm.core.config_version import read_at_start, version_of

_WRONG = 2


@click.group()
def config() -> None:
    """Check, show, explain or reload the configuration."""


@config.command()
@click.option(
    "--live", is_flag=True, help="Ask each upstream for its list of models, too."
)
@click.option("--json", "is_json", is_flag=True, help="Print the report as JSON.")
def check(live: bool, is_json: bool) -> None:
    """Look at it in many ways; name everything that is wrong (exit status 2)."""
    report = run_checks(examine_process(), ask_upstreams if live else None)
    click.echo(report_json(report) if is_json else report_text(report), nl=is_json)
    if not report.is_good:
        _end(_WRONG)


@config.command()
def reload() -> None:
    """Check it, then have every server that shares the data folder take it up."""
    report = run_checks(examine_process())
    if report.loaded is None:
        click.echo(report_text(report), nl=False)
        _end(_WRONG)
    settings = report.loaded.settings
    version = version_of(settings)
    mark = reload_mark(settings)
    _write(mark, f"{version}\n")
    click.echo(f"servers that use {mark.parent.absolute()} take up version {version}")
    click.echo(f"changes of these take a restart: {read_at_start()}")


@config.command()
def show() -> None:
    """Print the values in force, each with its origin; secrets are masked."""
    click.echo(show_text(_load()), nl=False)


@config.command()
def example() -> None:
    """Print a commented file to start from."""
    click.echo(example_text(), nl=False)


@config.command()
def schema() -> None:
    """Print the JSON schema of the file."""
    click.echo(schema_text())


config.add_command(discover)


def _load() -> Loaded:
    try:
        return load_from_process()
    except ConfigError as error:
        click.echo(error, err=True)
        _end(_WRONG)


def _end(status: int) -> NoReturn:
    click.get_current_context().exit(status)


def _write(path: Path, text: str) -> None:
    """Put a file in place in one step, so that nobody sees half of it.

    Raises:
        click.ClickException: It cannot be written.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        fresh.touch(mode=0o600)
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        told = f"{path.absolute()} cannot be written: {error.strerror}"
        raise click.ClickException(told) from error
