"""`flaskllm`: the command line. The top floor: it may use everything below."""

import logging
import sys
from functools import cache

import click

from flaskllm import __version__
from flaskllm.cli.answers import cache_commands
from flaskllm.cli.audit import audit
from flaskllm.cli.budgets import budgets
from flaskllm.cli.config import config
from flaskllm.cli.database import database_commands
from flaskllm.cli.demo import demo
from flaskllm.cli.doctor import doctor
from flaskllm.cli.maintain import maintain
from flaskllm.cli.route import route
from flaskllm.cli.serve import serve
from flaskllm.cli.summarise import summarise
from flaskllm.cli.templates_eval import templates
from flaskllm.cli.tokens import tokens
from flaskllm.cli.usage import usage
from flaskllm.cli.worker import worker
from flaskllm.core.config import ConfigError, load_from_process
from flaskllm.llm.prompts import TemplateError
from flaskllm.services import Services
from flaskllm.wiring import build_services
from flaskllm.wiring.secrets import uses_data_dir

# A command says itself what it finds; those that serve set a log up.
_NOWHERE = logging.NullHandler()


@click.group()
@click.version_option(__version__)
@click.pass_context
def cli(context: click.Context) -> None:
    """Digest mails and meetings, and stand in front of language models."""
    logging.getLogger("flaskllm").addHandler(_NOWHERE)
    # A callable: commands that need no services read no settings.
    context.obj = cache(_obtain_services)


for _command in (
    serve,
    worker,
    summarise,
    tokens,
    audit,
    budgets,
    cache_commands,
    usage,
    database_commands,
    maintain,
    doctor,
    config,
    route,
    templates,
    demo,
):
    cli.add_command(_command)


def main() -> None:
    """Run the command line; wrong settings end it with status 2 and their list."""
    try:
        cli(prog_name="flaskllm")
    except (ConfigError, TemplateError) as error:
        click.echo(str(error), err=True)
        sys.exit(2)


def _obtain_services() -> Services:
    loaded = load_from_process()
    folder = loaded.settings.data_dir
    if not folder.exists() and uses_data_dir(loaded.settings):
        # The wrong working folder is the usual reason.
        click.echo(f"there is no data folder yet: {folder.absolute()}", err=True)
    return build_services(loaded)
