"""`flaskllm route explain`: who would be asked, and why, without asking anybody."""

import json
import sys
from collections.abc import Callable, Iterable

import click
import requests
from pydantic import ValidationError

from flaskllm.api.v1.explain_fields import read_question
from flaskllm.api.v1.routes import ExplanationReply, explanation_data
from flaskllm.api.validation import parse_object
from flaskllm.cli.problems import problems_told
from flaskllm.cli.route_text import Explained, explanation_text
from flaskllm.core.config import (
    ServerSettings,
    examine_process,
    process_environment,
    read_ca_bundle,
)
from flaskllm.core.errors import APIError, InvalidInputError, ModelNotFound
from flaskllm.core.json_text import read_object
from flaskllm.services import Services

_PATH = "/api/v1/routes/explain"
_TOKEN = "FLASKLLM_API_TOKEN"
_SECONDS = 30.0
_OK = 200
_WRONG_STATUSES = frozenset({400, 404})
_NO_HISTORY = (
    "By the settings alone: this process has no history of breakers, limits and "
    "latencies, and knows nothing of what operators decided. "
    "--url {url} asks the running gateway."
)


@click.group()
def route() -> None:
    """Look at where requests would go."""


@route.command()
@click.argument("body")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--url", help="Ask the gateway at this address instead.")
@click.option(
    "--token",
    help="An API token with the scope read or chat, for --url; FLASKLLM_API_TOKEN if "
    "left out.",
)
@click.pass_obj
def explain(
    services: Callable[[], Services],
    body: str,
    as_json: bool,
    url: str | None,
    token: str | None,
) -> None:
    """Tell who would be asked for BODY, a chat as JSON or `-` for standard input.

    `{"model": "fast", "prompt": "Hello"}` is enough. Nobody is asked.
    """
    text = sys.stdin.buffer.read() if body == "-" else body.encode("utf-8", "replace")
    if url is None:
        explained = _explain_here(text, services)
        click.echo(_NO_HISTORY.format(url=_own_url()), err=True)
    else:
        explained = _explain_there(text, url, token)
    if as_json:
        click.echo(json.dumps(explained, ensure_ascii=False, indent=2))
        return
    for line in explanation_text(explained):
        click.echo(line)


def _explain_here(text: bytes, services: Callable[[], Services]) -> Explained:
    """Explain by the settings of this folder.

    Raises:
        click.UsageError: The chat is wrong, or names a model that is not there.
        click.ClickException: There is no model.
    """
    with problems_told():
        try:
            order = read_question(parse_object(text), direct=True)
            # Not `routes.explain`, which looks into the database first.
            explanation = services().routes.explainer().explain(order.request)
        except (InvalidInputError, ModelNotFound) as error:
            raise _wrong(error) from error
    _warn(order.warnings)
    return explanation_data(explanation).model_dump()


def _own_url() -> str:
    """Return where the gateway of these settings is reached from this machine."""
    loaded = examine_process().loaded
    server = loaded.settings.server if loaded else ServerSettings()
    return server.local_url


def _explain_there(text: bytes, url: str, token: str | None) -> Explained:
    """Ask a running gateway, by what its process that answers knows.

    Raises:
        click.UsageError: The chat is wrong, or names a model that is not there.
        click.ClickException: It cannot be reached, refuses, or is none of ours.
    """
    token = token or process_environment().get(_TOKEN)
    if not token:
        raise click.UsageError(f"--url takes --token, or {_TOKEN}.")
    reply = _post(text, url, token)
    answer = read_object(reply.content) or {}
    if reply.status_code == _OK:
        try:
            told = ExplanationReply.model_validate(answer)
        except ValidationError as error:
            raise _stranger(url) from error
        _warn(told.meta.warnings)
        return told.data.model_dump()
    if "code" not in answer:
        raise _stranger(url)
    problem = f"{answer.get('error', '')} {answer.get('details', '')}".strip()
    if reply.status_code in _WRONG_STATUSES:
        raise click.UsageError(problem)
    raise click.ClickException(problem)


def _post(text: bytes, url: str, token: str) -> requests.Response:
    """Return what answers at this address.

    Raises:
        click.ClickException: Nobody does.
    """
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
    }
    session = requests.Session()
    session.trust_env = False  # or a `.netrc` would replace the API token
    session.verify = read_ca_bundle() or True
    try:
        return session.post(
            f"{url.rstrip('/')}{_PATH}",
            data=text,
            headers=headers,
            timeout=_SECONDS,
            allow_redirects=False,  # the API token goes to this address only
        )
    except requests.RequestException as error:
        reason = type(error).__name__
        raise click.ClickException(f"No gateway answers at {url}: {reason}.") from error


def _stranger(url: str) -> click.ClickException:
    told = f"No gateway answers at {url}: something else does, or another version."
    return click.ClickException(told)


def _warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)


def _wrong(error: APIError) -> click.UsageError:
    return click.UsageError(" ".join(filter(None, (error.message, error.details))))
