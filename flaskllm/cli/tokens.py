"""`flaskllm tokens`: make, list, change, roll and revoke API tokens."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import click

from flaskllm.api.v1.token_data import new_token_data, token_data
from flaskllm.cli.actors import cli_actor
from flaskllm.cli.durations import parse_seconds
from flaskllm.cli.problems import problems_of_words_told
from flaskllm.cli.table import table_lines
from flaskllm.cli.token_options import (
    changes_of,
    parse_moment,
    parse_moment_or_never,
    restrictions,
    scope_option,
)
from flaskllm.core.auth import NewToken
from flaskllm.services import Services
from flaskllm.services.api_tokens import ApiToken, Grant

_HEADINGS = ("ID", "NAME", "SCOPES", "CREATED", "EXPIRES", "LAST USED", "STATE")
# What takes a list away, by the option that does.
_ANY = {"any_alias": "aliases", "any_network": "networks"}

Obtain = Callable[[], Services]


@click.group("tokens")
def tokens() -> None:
    """Make, list, change, roll and revoke API tokens."""


@tokens.command("create")
@click.argument("name")
@scope_option(required=True)
@click.option(
    "--expires",
    "expires_at",
    metavar="DATE",
    callback=parse_moment,
    help="A date or datetime (ISO 8601), UTC unless it has an offset; a date means "
    "its first moment. Without it the API token never expires.",
)
@click.option(
    "--direct-models",
    is_flag=True,
    help="Let it name provider/model, past the routes.",
)
@restrictions
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as the API does.")
@click.pass_obj
def create(services: Obtain, /, name: str, as_json: bool, **said: Any) -> None:
    """Make an API token; it is shown once, alone on the last line."""
    with problems_of_words_told():
        # First, since it tells where the secret is lost: none is made in its place.
        services().database.upgrade()
        service = services().api_tokens
        grant = Grant(name=name, **changes_of(said))
        made = service.create(grant, actor=cli_actor())
        token = service.get(made.id)
    _tell_made(token, made, as_json)


@tokens.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as the API does.")
@click.pass_obj
def list_tokens(services: Obtain, as_json: bool) -> None:
    """Show all API tokens, without their secrets."""
    with problems_of_words_told():
        found = services().api_tokens.list_tokens()
    if as_json:
        _print_json([_shown(token) for token in found])
        return
    for line in table_lines([_HEADINGS, *map(_cells, found)]):
        click.echo(line)


@tokens.command("show")
@click.argument("token_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as the API does.")
@click.pass_obj
def show(services: Obtain, token_id: str, as_json: bool) -> None:
    """Show one API token, without its secret."""
    with problems_of_words_told():
        token = services().api_tokens.get(token_id)
    _tell(token, as_json)


@tokens.command("update")
@click.argument("token_id", metavar="ID")
@click.option("--name", help="Another name.")
@scope_option(required=False)
@click.option(
    "--expires",
    "expires_at",
    metavar="DATE",
    callback=parse_moment_or_never,
    help="A date or datetime, see `create`, or `never`.",
)
@click.option(
    "--direct-models/--no-direct-models",
    default=None,
    help="Whether it may name provider/model.",
)
@restrictions
@click.option("--any-alias", is_flag=True, help="Let it send every model name.")
@click.option("--any-network", is_flag=True, help="Let it call from everywhere.")
@click.option("--no-tags", is_flag=True, help="Take all its tags away.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as the API does.")
@click.pass_obj
def update(
    services: Obtain, /, token_id: str, as_json: bool, no_tags: bool, **said: Any
) -> None:
    """Change what is named, a list as a whole; `none` takes a limit away."""
    free = {field: None for option, field in _ANY.items() if said.pop(option)}
    changes = changes_of(said) | free | ({"tags": ()} if no_tags else {})
    with problems_of_words_told():
        token = services().api_tokens.update(token_id, changes, actor=cli_actor())
    _tell(token, as_json)


@tokens.command("roll")
@click.argument("token_id", metavar="ID")
@click.option(
    "--overlap",
    "overlap_seconds",
    metavar="TIME",
    default="24h",
    show_default=True,
    callback=parse_seconds,
    help="How long the old secret stays good: 90s, 30m, 24h, 7d; at most 30d. "
    "0 ends it at once.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as the API does.")
@click.pass_obj
def roll(services: Obtain, token_id: str, overlap_seconds: int, as_json: bool) -> None:
    """Give an API token a new secret; its id, limits and budgets stay."""
    with problems_of_words_told():
        service = services().api_tokens
        made = service.roll(token_id, overlap_seconds, actor=cli_actor())
        token = service.get(token_id)
    overlap = str(timedelta(seconds=overlap_seconds))
    ends = f"ends in {overlap}" if overlap_seconds else "has ended"
    click.echo(f"The secret before it {ends}.", err=True)
    _tell_made(token, made, as_json)


@tokens.command("revoke")
@click.argument("token_id", metavar="ID")
@click.pass_obj
def revoke(services: Obtain, token_id: str) -> None:
    """Refuse an API token from now on."""
    with problems_of_words_told():
        services().api_tokens.revoke(token_id, actor=cli_actor())
    click.echo(f"API token {token_id} is revoked.")


@tokens.command("purge")
@click.argument("token_id", metavar="ID")
@click.option(
    "--accounts",
    is_flag=True,
    help="Also its usage and what it has spent; only when it is revoked or expired.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as the API does.")
@click.pass_obj
def purge(services: Obtain, token_id: str, accounts: bool, as_json: bool) -> None:
    """Remove what a principal has made: jobs, documents, answers, endpoints.

    It can be stopped and run again. Revoke the API token first, or it may make more.
    """
    with problems_of_words_told():
        erasing = services().keeping.erasing
        erased = erasing.erase(token_id, cli_actor(), accounts=accounts)
    told = {"removed": dict(erased.counts), "complete": erased.is_complete}
    if as_json:
        _print_json(told)
    else:
        for line in table_lines([(n, str(c)) for n, c in erased.counts.items()]):
            click.echo(line)
    if not erased.is_complete:
        raise click.ClickException(
            "Attempts are under way: their accounts stay. Ask again in some minutes."
        )
    click.echo(f"Nothing is left of what {token_id} made.", err=True)


def _tell_made(token: ApiToken, made: NewToken, as_json: bool) -> None:
    if as_json:
        _print_json(new_token_data(token, made).model_dump(mode="json"))
        return
    click.echo(f"API token {made.id} is made. Keep it now, it is shown once:", err=True)
    click.echo(made.text)


def _tell(token: ApiToken, as_json: bool) -> None:
    if as_json:
        _print_json(_shown(token))
        return
    for line in table_lines(list(_lines(token))):
        click.echo(line)


def _lines(token: ApiToken) -> Iterator[tuple[str, str]]:
    for name, value in _shown(token).items():
        if isinstance(value, list):
            value = ", ".join(value)
        yield name, "-" if value in (None, "") else str(value)


def _shown(token: ApiToken) -> dict[str, Any]:
    return token_data(token).model_dump(mode="json")


def _print_json(data: object) -> None:
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def _cells(token: ApiToken) -> tuple[str, ...]:
    return (
        token.id,
        token.grant.name,
        ",".join(sorted(token.grant.scopes)),
        _minute(token.created_at),
        _minute(token.grant.expires_at),
        _minute(token.last_used_at),
        token.state,
    )


def _minute(time: datetime | None) -> str:
    return time.strftime("%Y-%m-%dT%H:%MZ") if time else "never"
