"""`flaskllm cache`: what is kept of answers is cleared."""

from collections.abc import Callable

import click

from flaskllm.cli.actors import cli_actor
from flaskllm.cli.problems import problems_of_words_told
from flaskllm.services import Services
from flaskllm.services.caching.clearing import Clearing


def _refuse_empty(_: click.Context, __: click.Parameter, value: str | None) -> object:
    """Return the value; a variable of the shell that is not set must not clear all."""
    if value == "":
        raise click.BadParameter("an empty text; leave the option out to clear all")
    return value


@click.group("cache")
def cache_commands() -> None:
    """Clear what is kept of answers."""


@cache_commands.command("clear")
@click.option(
    "--alias",
    callback=_refuse_empty,
    metavar="NAME",
    help="What was kept for this route.",
)
@click.option(
    "--template",
    callback=_refuse_empty,
    metavar="NAME",
    help="Answers to this prompt template.",
)
@click.option(
    "--token",
    callback=_refuse_empty,
    metavar="ID",
    help="What this API token was answered.",
)
@click.pass_obj
def clear(
    services: Callable[[], Services],
    alias: str | None,
    template: str | None,
    token: str | None,
) -> None:
    """Let nothing of it be answered any more; everything without an option.

    It holds for all processes at once. One that keeps answers in its own memory
    forgets all of them within a second.
    """
    wanted = Clearing(alias, template, token)
    with problems_of_words_told():
        services().clearing.clear(wanted, cli_actor())
    about = " ".join(f"{name}:{value}" for name, value in wanted.given.items())
    click.echo(f"cleared: {about or 'all'}")
