"""`flaskllm db reseal`: finish a change of the master secret."""

import sys
from collections.abc import Callable

import click

from flaskllm.cli.actors import cli_actor
from flaskllm.cli.problems import problems_told
from flaskllm.services import Services
from flaskllm.services.resealing import Resealed, Standing


@click.command("reseal")
@click.option("--check", is_flag=True, help="Change nothing, tell how far it is.")
@click.pass_obj
def reseal(services: Callable[[], Services], check: bool) -> None:
    """Seal under the current master secret what lies under the previous one.

    It can be stopped and run again at any time, also while the server runs. With
    --check the exit status is 1 as long as the previous one is needed.
    """
    done = None
    with problems_told():
        # First, since it tells where the secret is lost: none is made in its place.
        services().database.upgrade()
        resealing = services().resealing
        if not check:
            done = resealing.run(cli_actor())
        standing = resealing.standing()
    if done:
        _tell_done(done)
    _tell_standing(standing)
    if done and done.broken:
        raise click.ClickException(
            f"{done.broken} sealed values cannot be opened: they were changed. "
            "They are left as they are."
        )
    if check and standing.has_previous and not standing.may_forget_previous:
        sys.exit(1)


def _tell_done(done: Resealed) -> None:
    for name, count in done.counts.items():
        click.echo(f"{name}: {count} resealed")


def _tell_standing(standing: Standing) -> None:
    click.echo(f"under the current master secret: {standing.current}")
    click.echo(f"under the previous master secret: {standing.previous}")
    if standing.unknown:
        click.echo(f"under neither, so not readable: {standing.unknown}")
    click.echo(_advice(standing))


def _advice(standing: Standing) -> str:
    """Return what is to be done next."""
    if not standing.has_previous:
        return "There is no previous master secret."
    if standing.previous or standing.unused_tokens is None:
        return "Keep the previous master secret: run `flaskllm db reseal`."
    if standing.unused_tokens:
        return (
            f"{len(standing.unused_tokens)} API tokens were not used since. Those that "
            "are older than the change work no more once the previous master secret is "
            f"removed: roll or revoke them.\n{' '.join(standing.unused_tokens)}"
        )
    return "The previous master secret may be removed."
