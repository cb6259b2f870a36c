"""`flaskllm db`: the database."""

from collections.abc import Callable

import click

from flaskllm.cli.backup import backup, restore
from flaskllm.cli.problems import problems_told
from flaskllm.cli.reseal import reseal
from flaskllm.cli.stats import stats
from flaskllm.services import Services
from flaskllm.storage.workflows import Workflows


@click.group("db")
def database_commands() -> None:
    """Look after the database."""


@database_commands.command("upgrade")
@click.pass_obj
def upgrade(services: Callable[[], Services]) -> None:
    """Bring the schema up to date, and the tables of workflows where jobs are on.

    The server does this by itself when it starts. Make a backup first.
    """
    with problems_told():
        changed = services().database.upgrade()
        workflows = services().workflows
        if workflows.is_enabled:
            changed = workflows.upgrade() or changed
    click.echo("The schema was upgraded." if changed else "The schema is up to date.")


@database_commands.command("check")
@click.pass_obj
def check(services: Callable[[], Services]) -> None:
    """Tell what the database is, and whether it is sound and up to date.

    It changes nothing, and reads all of a SQLite file. The status is 1 where
    something is wrong.
    """
    with problems_told():
        found = services().database.examine()
        workflows = _state_of(services().workflows)
    click.echo(f"database: {found.product}")
    click.echo(f"revision: {found.revision or 'none'}")
    click.echo(f"workflows: {workflows}")
    if found.faults:
        raise click.ClickException(" ".join(found.faults))
    click.echo("It is sound, and its schema is up to date.")


def _state_of(workflows: Workflows) -> str:
    """Return how their tables stand; what is not there is made in time."""
    return _STATES[workflows.is_current()] if workflows.is_enabled else "off"


_STATES = {
    True: "up to date",
    False: "older than this program; `flaskllm db upgrade` brings them up to date",
    None: "no tables yet; they are made when they are needed",
}


for _command in (reseal, backup, restore, stats):
    database_commands.add_command(_command)
