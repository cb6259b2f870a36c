"""`flaskllm config`: look at the configuration without starting anything."""

import click

from flaskllm.cli.config_text import example_text, schema_text, show_text
from flaskllm.cli.discover import discover
from flaskllm.core.config import ConfigError, Loaded, load_from_process

_WRONG = 2


@click.group()
def config() -> None:
    """Check, show or explain the configuration."""


@config.command()
def check() -> None:
    """Say ok, or name everything that is wrong (exit status 2)."""
    _load()
    click.echo("ok")


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
        click.get_current_context().exit(_WRONG)
