"""`flaskllm config discover`: a catalogue of the model servers on this machine."""

import re
from collections.abc import Sequence
from typing import Any

import click
import yaml

from flaskllm.cli.probing import DEFAULT_PORTS, Server, find_servers
from flaskllm.core.config_checks import OFFLINE
from flaskllm.llm.catalog import AUTO
from flaskllm.llm.providers import ListedModel

_HEAD = """\
# Found on this machine. Put it into flaskllm.yaml, keep what you need, and let
# `flaskllm config check` look at it.
"""
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._:/@+-]+")
_LONGEST_NAME = 100
_RESERVED = frozenset({AUTO, OFFLINE})
_VECTORS_ALONE = frozenset({"embeddings"})

Section = dict[str, dict[str, Any]]


@click.command()
@click.option(
    "--port",
    "ports",
    type=click.IntRange(1, 65535),
    multiple=True,
    default=tuple(DEFAULT_PORTS),
    show_default=True,
    help="A port of 127.0.0.1 to ask; may be given several times.",
)
def discover(ports: tuple[int, ...]) -> None:
    """Ask this machine's usual ports for model servers and print a catalogue."""
    servers = find_servers(tuple(dict.fromkeys(ports)))
    if not servers:
        asked = ", ".join(map(str, ports))
        raise click.ClickException(f"no model server answers on 127.0.0.1: {asked}")
    for server in servers:
        click.echo(_told(server), err=True)
    click.echo(catalogue_text(servers), nl=False)


def catalogue_text(servers: Sequence[Server]) -> str:
    """Return providers, deployments and routes for these servers as YAML.

    Each model becomes a deployment and an alias of the same name.
    """
    providers: Section = {}
    deployments: Section = {}
    for server in servers:
        provider = _free(server.name, providers)
        providers[provider] = {"kind": server.kind, "base_url": server.base_url}
        for model in server.models:
            name = _free(_name_of(model), deployments)
            deployments[name] = _deployment(provider, model)
    catalogue: dict[str, Any] = {"providers": providers}
    if deployments:
        catalogue["deployments"] = deployments
        catalogue["routes"] = [
            {"alias": name, "deployments": {name: 1}} for name in deployments
        ]
        catalogue["default_route"] = _default(deployments)
    text = yaml.safe_dump(catalogue, sort_keys=False, allow_unicode=True, width=1000)
    return f"{_HEAD}{text}"


def _told(server: Server) -> str:
    found = f"port {server.port}: {server.kind}"
    if server.asks_credential:
        return f"{found}, which asks for a credential: set its api_key"
    return f"{found}, {len(server.models)} models"


def _deployment(provider: str, model: ListedModel) -> dict[str, Any]:
    known = {
        "context_window": model.context_window,
        "max_output_tokens": model.max_output_tokens,
        "capabilities": sorted(model.capabilities or ()) or None,
    }
    told = {name: value for name, value in known.items() if value is not None}
    return {"provider": provider, "model": model.id, **told}


def _name_of(model: ListedModel) -> str:
    """Return a name for a model; llama.cpp's server calls it by its file's path."""
    id_ = model.id
    if id_.endswith(".gguf"):
        id_ = id_.replace("\\", "/").rpartition("/")[2].removesuffix(".gguf")
    name = _NOT_IN_A_NAME.sub("-", id_).strip("-._:/@+")[:_LONGEST_NAME] or "model"
    return f"{name}-model" if name in _RESERVED else name


def _free(name: str, taken: Section) -> str:
    """Return the name, with a number behind when it is taken."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def _default(deployments: Section) -> str:
    """Return the first that is not for vectors alone, else the first."""
    chats = (
        name
        for name, told in deployments.items()
        if frozenset(told.get("capabilities", ())) != _VECTORS_ALONE
    )
    return next(chats, next(iter(deployments)))
