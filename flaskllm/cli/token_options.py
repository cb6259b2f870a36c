"""What may be said of an API token on the command line."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from flaskllm.core.auth import Scope
from flaskllm.services.grants import LIMITS

CommandT = TypeVar("CommandT", bound=Callable[..., object])

NEVER = "never"
NONE = "none"

# Elsewhere these words are what they are, such as the name of an owner.
_TAKES_AWAY = {"expires_at": NEVER, **dict.fromkeys(LIMITS, NONE)}
_LISTS = {"aliases": frozenset, "networks": tuple, "tags": tuple}


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


def parse_moment_or_never(
    context: click.Context, param: click.Parameter, value: str | None
) -> datetime | str | None:
    """Read what `parse_moment` reads, or the word `never`, which stays."""
    return value if value == NEVER else parse_moment(context, param, value)


class _Limit(click.ParamType[int | str]):
    """A whole number, or the word `none`, which stays."""

    name = "number"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int | str:
        """Return it as a number; which ones make sense is for the service to say."""
        if value == NONE:
            return NONE
        try:
            return int(value)
        except ValueError:
            self.fail(f"{value!r} is neither a whole number nor {NONE}.", param, ctx)


_OPTIONS = (
    click.option(
        "--alias",
        "aliases",
        multiple=True,
        metavar="NAME",
        help="A model name that it may send, and no other; again for more.",
    ),
    click.option(
        "--network",
        "networks",
        multiple=True,
        metavar="CIDR",
        help="Whence it may call, and from nowhere else; again for more.",
    ),
    click.option("--requests-per-minute", type=_Limit(), help="At most so many."),
    click.option("--tokens-per-minute", type=_Limit(), help="At most so many."),
    click.option(
        "--concurrent-requests", type=_Limit(), help="At most so many under way."
    ),
    click.option("--owner", help="A label for people."),
    click.option(
        "--tag",
        "tags",
        multiple=True,
        help="A label by which money is summed; again for more.",
    ),
)


def restrictions(command: CommandT) -> CommandT:
    """Give a command the options that `create` and `update` share."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def scope_option(*, required: bool) -> Callable[[CommandT], CommandT]:
    """Return the option for scopes."""
    return click.option(
        "--scope",
        "scopes",
        multiple=True,
        required=required,
        type=click.Choice([scope.value for scope in Scope]),
        help="What it may do; give it again for more.",
    )


def changes_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a grant that were said.

    Lists that are empty and values that are None were not said; the words `never`
    and `none` take a restriction away.
    """
    return {
        name: _value(name, value)
        for name, value in said.items()
        if value is not None and value != ()
    }


def _value(name: str, value: Any) -> Any:
    if value == _TAKES_AWAY.get(name):
        return None
    if name == "scopes":
        return frozenset(Scope(each) for each in value)
    return _LISTS[name](value) if name in _LISTS else value
