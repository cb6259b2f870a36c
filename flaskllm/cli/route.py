"""`flaskllm route explain`: who would be asked, and why, without asking anybody."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import click
import requests

from flaskllm.api.v1.explain_fields import read_question
from flaskllm.api.v1.routes import explanation_data
from flaskllm.api.validation import parse_object
from flaskllm.cli.problems import problems_told
from flaskllm.core.config import process_environment, read_ca_bundle
from flaskllm.core.errors import APIError, InvalidInputError, ModelNotFound
from flaskllm.core.json_text import read_object
from flaskllm.services import Services

_PATH = "/api/v1/routes/explain"
_TOKEN = "FLASKLLM_API_TOKEN"
_SECONDS = 30.0
_WRONG_STATUSES = frozenset({400, 404})
_NO_HISTORY = (
    "By the settings alone: this process has no history of breakers, limits and "
    "latencies, and knows nothing of what operators decided. "
    "--url http://127.0.0.1:8000 asks the running gateway."
)
_HEADINGS = (
    "",
    "ROUTE",
    "DEPLOYMENT",
    "MODEL",
    "SCORE",
    "WEIGHT",
    "TOKENS",
    "COST",
    "STATE",
    "IN FLIGHT",
    "HEADROOM",
    "LATENCY",
)
_EXCLUDED = ("ROUTE", "DEPLOYMENT", "MODEL", "WHY", "FOR", "DETAILS")
_WORDS: Mapping[str, str] = {
    "lacking": "lacks what is needed",
    "too_long": "window too small",
    "no_price": "no price",
    "cooling": "cooling down",
    "limited": "limit reached",
    "credential": "credential rejected",
    "busy": "busy",
    "disabled": "disabled by an operator",
}

Explained = Mapping[str, Any]


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
        click.echo(_NO_HISTORY, err=True)
    else:
        explained = _explain_there(text, url, token)
    if as_json:
        click.echo(json.dumps(explained, ensure_ascii=False, indent=2))
        return
    for line in _shown(explained):
        click.echo(line)


def _explain_here(text: bytes, services: Callable[[], Services]) -> Explained:
    """Explain by the settings of this folder.

    Raises:
        click.UsageError: The chat is wrong, or names a model that is not there.
        click.ClickException: There is no model.
    """
    with problems_told():
        try:
            request = read_question(parse_object(text), direct=True)
            # Not `routes.explain`, which looks into the database first.
            explanation = services().routes.explainer().explain(request)
        except (InvalidInputError, ModelNotFound) as error:
            raise _wrong(error) from error
    return explanation_data(explanation).model_dump()


def _explain_there(text: bytes, url: str, token: str | None) -> Explained:
    """Ask a running gateway, by what its process that answers knows.

    Raises:
        click.UsageError: The chat is wrong, or names a model that is not there.
        click.ClickException: It cannot be reached, or refuses.
    """
    token = token or process_environment().get(_TOKEN)
    if not token:
        raise click.UsageError(f"--url takes --token, or {_TOKEN}.")
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
    }
    session = requests.Session()
    session.trust_env = False  # or a `.netrc` would replace the API token
    session.verify = read_ca_bundle() or True
    try:
        reply = session.post(
            f"{url.rstrip('/')}{_PATH}",
            data=text,
            headers=headers,
            timeout=_SECONDS,
            allow_redirects=False,  # the API token goes to this address only
        )
        answer = read_object(reply.content)
    except requests.RequestException as error:
        reason = type(error).__name__
        raise click.ClickException(f"No gateway answers at {url}: {reason}.") from error
    data = answer.get("data") if answer else None
    if reply.status_code == 200 and isinstance(data, dict):
        return data
    if answer is None or "code" not in answer:
        raise click.ClickException(f"No gateway answers at {url}: something else does.")
    told = " ".join(filter(None, (answer.get("error"), answer.get("details"))))
    if reply.status_code in _WRONG_STATUSES:
        raise click.UsageError(told)
    raise click.ClickException(told)


def _wrong(error: APIError) -> click.UsageError:
    return click.UsageError(" ".join(filter(None, (error.message, error.details))))


def _shown(explained: Explained) -> Iterator[str]:
    """Yield the explanation for people, line by line."""
    route = explained["route"]
    behind = ", then ".join(route["fallbacks"]) or "none"
    yield f"Route {route['name']}: {route['strategy']}, rescue {route['rescue']}."
    yield f"Fallbacks: {behind}."
    yield ""
    if explained["candidates"]:
        rows = enumerate(explained["candidates"], start=1)
        yield from _table([_HEADINGS, *(_candidate(*each) for each in rows)])
    else:
        yield from _nobody(explained)
    if explained["exclusions"]:
        yield ""
        yield "Not asked now:"
        yield from _table([_EXCLUDED, *map(_exclusion, explained["exclusions"])])


def _nobody(explained: Explained) -> Iterator[str]:
    error = explained["error"]
    if error is None:
        last_resort = explained["last_resort"]
        yield f"Nobody is ready; one request at a time may try {last_resort}."
        return
    yield f"Nobody would be asked: {error['code']}."
    yield " ".join(filter(None, (error["error"], error["details"])))


def _candidate(rank: int, told: Explained) -> tuple[str, ...]:
    standing = told["standing"]
    latency = standing["first_token_seconds"] or standing["answer_seconds"]
    score, cost = told["score"], told["cost"]
    return (
        f"{rank}.",
        told["route"],
        told["deployment"],
        told["model"],
        "-" if score is None else f"{score:.4g}",
        str(told["weight"]),
        f"{told['tokens_input']}+{told['tokens_output']}",
        "unknown" if cost is None else f"${cost:.6f}",
        standing["state"] + (" (set)" if standing["overridden"] else ""),
        str(standing["in_flight"]),
        f"{standing['headroom']:.0%}",
        "-" if latency is None else f"{latency:.2f} s",
    )


def _exclusion(told: Explained) -> tuple[str, ...]:
    seconds = told["seconds"]
    return (
        told["route"],
        told["deployment"],
        told["model"],
        _WORDS[told["reason"]],
        "-" if seconds is None else f"{seconds:.0f} s",
        told["details"] or "-",
    )


def _table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield the rows as lines whose columns stand under each other."""
    lines = list(rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for row in lines:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
