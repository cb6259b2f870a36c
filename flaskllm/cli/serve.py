"""`flaskllm serve`: the real server, ready after one command."""

import ipaddress
import socket
import sys
from pathlib import Path

import click
import gunicorn.__main__

import flaskllm
from flaskllm.cli.actors import cli_actor
from flaskllm.cli.problems import problems_told
from flaskllm.core.auth import Scope
from flaskllm.core.config import ServerSettings, Settings, load_from_process
from flaskllm.jobs.supervisor import start_supervisor
from flaskllm.services import Services
from flaskllm.services.grants import Grant
from flaskllm.wiring import build_services

_CONFIG = Path(flaskllm.__file__).parents[1] / "gunicorn.conf.py"


@click.command()
@click.option("--host", help="Listen here instead of server.host.")
@click.option("--port", type=click.IntRange(1, 65535), help="Instead of server.port.")
@click.option("--no-worker", is_flag=True, help="Start no worker beside the server.")
def serve(host: str | None, port: int | None, no_worker: bool) -> None:
    """Bring the database up to date, then serve until stopped.

    The very first start makes an admin API token and shows it once. A worker beside
    the server does accepted jobs; it ends with the server.
    """
    loaded = load_from_process()
    settings = loaded.settings
    given = {"host": host, "port": port}
    server = settings.server.model_copy(
        update={name: value for name, value in given.items() if value}
    )
    with problems_told():
        services = build_services(loaded)
        services.database.upgrade()
        needs_token = _needs_first_token(services, settings, server.host)
        _check_free(server)
        if needs_token:
            _make_first_token(services)
        has_jobs = services.workflows.is_enabled
        wants_worker = has_jobs and settings.jobs.worker and not no_worker
        services.database.close()
    _tell(settings, server)
    _become_server(server, wants_worker)


def _check_free(server: ServerSettings) -> None:
    """Return when nobody listens there yet.

    Raises:
        click.ClickException: The address is taken, or not one of this machine.
    """
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            # As the server does it: an address that was just left is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((server.host, server.port))
    except OSError as error:
        raise click.ClickException(
            f"Cannot listen on {server.bind}: {error.strerror}. "
            "Choose another address with --port and --host, or with server.port and "
            "server.host."
        ) from error


def _needs_first_token(services: Services, settings: Settings, host: str) -> bool:
    """Tell whether there is no API token at all.

    Raises:
        click.ClickException: There is none, and the server would listen to other
            machines: nobody could have been shown one in safety.
    """
    if settings.api_token or services.api_tokens.has_any():
        return False
    if not _is_loopback(host):
        raise click.ClickException(
            f"{host} can be reached from other machines and there is no API token. "
            "Make one with `flaskllm tokens create NAME --scope admin`, or set "
            "FLASKLLM_API_TOKEN."
        )
    return True


def _make_first_token(services: Services) -> None:
    grant = Grant("first admin", frozenset({Scope.ADMIN}))
    token = services.api_tokens.create(grant, actor=cli_actor())
    click.echo("This admin API token is shown once. Keep it:")
    click.echo(f"\n    {token.text}\n")


def _tell(settings: Settings, server: ServerSettings) -> None:
    click.echo(f"flaskllm {flaskllm.__version__} serves http://{server.bind}")
    click.echo(f"data folder: {settings.data_dir.absolute()}")
    aliases = [route.alias for route in settings.routes if route.alias]
    if aliases:
        click.echo(f"default route: {settings.default_route or aliases[0]}")
    else:
        click.echo("no model has a route: digests are extracts, marked `degraded`")


def _become_server(server: ServerSettings, wants_worker: bool) -> None:
    """Become gunicorn's main process, so that signals and the exit status are its own.

    What is imported by now, its workers share. What was started before is its child.
    """
    sys.stdout.flush()
    if wants_worker:
        start_supervisor()
    options = ["--config", str(_CONFIG), "--bind", server.bind]
    # All as `python -m gunicorn` has it: by that name `pre_exec` in gunicorn.conf.py
    # knows, for SIGUSR2, how to start the same again.
    sys.argv = [gunicorn.__main__.__file__, *options, "flaskllm.factory:create_app()"]
    gunicorn.__main__.run(prog="gunicorn")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
