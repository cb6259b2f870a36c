"""`flaskllm db`: the database."""

from collections.abc import Callable

import click

from flaskllm.cli.problems import problems_told
from flaskllm.services import Services


@click.group("db")
def database_commands() -> None:
    """Look after the database."""


@database_commands.command("upgrade")
@click.pass_obj
def upgrade(services: Callable[[], Services]) -> None:
    """Bring the schema up to date.

    The server does this by itself when it starts. Make a backup first.
    """
    with problems_told():
        changed = services().database.upgrade()
    click.echo("The schema was upgraded." if changed else "The schema is up to date.")
