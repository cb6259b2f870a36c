"""`flaskllm tokens`: make, list and revoke API tokens."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import click

from flaskllm.cli.problems import problems_told
from flaskllm.core.auth import Scope
from flaskllm.services import Services
from flaskllm.services.api_tokens import ApiToken

_HEADINGS = ("ID", "NAME", "SCOPES", "CREATED", "EXPIRES", "LAST USED", "STATE")

Obtain = Callable[[], Services]


def parse_moment(
    _ctx: click.Context, _param: click.Parameter, value: str | None
) -> datetime | None:
    """Read an ISO date (its first moment) or datetime; UTC unless it has an offset.

    Raises:
        click.BadParameter: The value is neither.
    """
    if value is None:
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError as error:
        example = "2030-01-31 or 2030-01-31T18:00+01:00"
        raise click.BadParameter(f"{value!r} is not like {example}.") from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


@click.group("tokens")
def tokens() -> None:
    """Make, list and revoke API tokens."""


@tokens.command("create")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What it may do; give it again for more.",
)
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
@click.pass_obj
def create(
    services: Obtain,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None,
    direct_models: bool,
) -> None:
    """Make an API token; it is shown once, alone on the last line."""
    with problems_told():
        token = services().api_tokens.create(
            name,
            frozenset(Scope(scope) for scope in scopes),
            expires_at,
            direct_models=direct_models,
        )
    click.echo(
        f"API token {token.id} is made. Keep it now, it is shown once:", err=True
    )
    click.echo(token.text)


@tokens.command("list")
@click.pass_obj
def list_tokens(services: Obtain) -> None:
    """Show all API tokens, without their secrets."""
    with problems_told():
        rows = [_cells(token) for token in services().api_tokens.list_tokens()]
    for line in _table([_HEADINGS, *rows]):
        click.echo(line)


@tokens.command("revoke")
@click.argument("token_id", metavar="ID")
@click.pass_obj
def revoke(services: Obtain, token_id: str) -> None:
    """Refuse an API token from now on."""
    with problems_told():
        services().api_tokens.revoke(token_id)
    click.echo(f"API token {token_id} is revoked.")


def _cells(token: ApiToken) -> tuple[str, ...]:
    return (
        token.id,
        token.name,
        ",".join(sorted(token.scopes)),
        _minute(token.created_at),
        _minute(token.expires_at),
        _minute(token.last_used_at),
        token.state,
    )


def _minute(time: datetime | None) -> str:
    return time.strftime("%Y-%m-%dT%H:%MZ") if time else "never"


def _table(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """Yield the rows as lines whose columns stand under each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
