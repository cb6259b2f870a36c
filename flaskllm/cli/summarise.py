"""`flaskllm summarise`: the same digest from the shell, without a server."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import BinaryIO, cast, get_args

import click

from flaskllm.cli.actors import cli_actor
from flaskllm.cli.problems import problems_told
from flaskllm.cli.show import show
from flaskllm.core import languages
from flaskllm.core.auth import Principal, Scope
from flaskllm.core.clock import Deadline
from flaskllm.core.ids import new_id
from flaskllm.core.money import dollars
from flaskllm.inputs import media_types
from flaskllm.llm.cached import CacheNote
from flaskllm.llm.types import Attempt, Call
from flaskllm.services import Services
from flaskllm.services.accounts import Account
from flaskllm.services.digests.types import DigestOrder, DigestType
from flaskllm.services.privacy import recorder_of

_PRINCIPAL = Principal("command-line", "command-line", frozenset(Scope), "cli")
_SOURCE = "cli:summarise"


def check_language(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> str | None:
    """Take an ISO 639-1 code.

    Raises:
        click.BadParameter: It is none.
    """
    if value is not None and not languages.is_language(value):
        raise click.BadParameter(f"{value!r} is not an ISO 639-1 code such as `de`.")
    return value


def read_moment(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> datetime | None:
    """Take an RFC 3339 time with its offset.

    Raises:
        click.BadParameter: It is none.
    """
    try:
        moment = datetime.fromisoformat(value) if value else None
    except ValueError:
        moment = None
    if value and (moment is None or moment.tzinfo is None):
        raise click.BadParameter(f"{value!r} is not like 2026-10-05T09:30:00+02:00.")
    return moment


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--type",
    "kind",
    type=click.Choice(get_args(DigestType)),
    default="summary",
    show_default=True,
    help="What to make of it.",
)
@click.option("--language", callback=check_language, help="Of the answer, ISO 639-1.")
@click.option("--model", help="An alias of the settings.")
@click.option(
    "--reference-time",
    "reference_time",
    callback=read_moment,
    metavar="TIME",
    help="What 'Friday' is counted from, such as 2026-10-05T09:30:00+02:00. The "
    "mail's date, else now.",
)
@click.option(
    "--variable",
    "pairs",
    multiple=True,
    metavar="NAME=VALUE",
    help="A variable of the template, such as labels=invoice,complaint.",
)
@click.option(
    "--plan", "plan_only", is_flag=True, help="Tell what it would take; ask no model."
)
@click.option("--json", "as_json", is_flag=True, help="JSON also on a terminal.")
@click.pass_obj
def summarise(
    services: Callable[[], Services],
    file: BinaryIO,
    kind: str,
    language: str | None,
    model: str | None,
    reference_time: datetime | None,
    pairs: tuple[str, ...],
    plan_only: bool,
    as_json: bool,
) -> None:
    """Digest FILE, or standard input when FILE is `-`.

    Prints text on a terminal and JSON, as the webhook sends it, into a pipe. With
    --plan it prints how many calls, tokens and dollars it would take.
    """
    request_id = new_id("req")
    order = DigestOrder(
        content=file.read(),
        media_type=_media_type(file),
        type=cast(DigestType, kind),
        language=language,
        model=model,
        reference_time=reference_time,
        variables=dict(map(_split, pairs)),
    )
    is_json = as_json or not sys.stdout.isatty()
    if plan_only:
        _tell_plan(services, order, request_id, is_json)
        return
    with problems_told():
        clock = services().clock
        started_seconds = clock.monotonic()
        call, account = make_call(services(), request_id)
        result = services().digests.make(order, call)
    if is_json:
        seconds = clock.monotonic() - started_seconds
        reply = result.to_json(request_id, seconds, dollars(account.cost_nanos))
        click.echo(json.dumps(reply, ensure_ascii=False, indent=2))
        return
    for line in show(result.type, result.text, result.digest.to_json()):
        click.echo(line)
    if result.degraded:
        click.echo("\n(degraded: a model did not make all of it)")


def _tell_plan(
    services: Callable[[], Services],
    order: DigestOrder,
    request_id: str,
    is_json: bool,
) -> None:
    with problems_told():
        call, _ = make_call(services(), request_id)
        plan = services().digests.plan(order, call).to_json()
    if is_json:
        click.echo(json.dumps({"data": {"plan": plan}}, indent=2))
        return
    cost = plan.pop("cost_estimated")
    for name, number in plan.items():
        click.echo(f"{name.replace('_', ' '):<20}{number:>10,}")
    told = "not known" if cost is None else f"{cost:.6f}"
    click.echo(f"{'US dollars, about':<20}{told:>10}")


def make_call(services: Services, request_id: str) -> tuple[Call, Account]:
    """Return the call of this command, and what pays for it.

    There is no caller to watch; progress is told on a terminal.
    """
    deadline = Deadline.after(services.deadline_seconds, services.clock)
    account = services.accounts.open(
        _PRINCIPAL, request_id=request_id, source=_SOURCE, deadline=deadline
    )

    def before(attempt: Attempt) -> None:
        account.before(attempt)
        if sys.stderr.isatty():
            click.echo(f"asking {attempt.deployment.name} ...", err=True)

    def cached(note: CacheNote) -> None:
        if note.source is not None:
            account.remember(note.source)

    actor = replace(cli_actor(), request_id=request_id)
    call = Call(
        deadline=deadline,
        wait=services.clock.sleep,
        before=before,
        after=account.after,
        confined=recorder_of(services.privacy, actor),
        principal_id=_PRINCIPAL.id,
        cached=cached,
    )
    return call, account


def _media_type(file: BinaryIO) -> str | None:
    # Not every stream that stands for standard input has a name.
    found = media_types.by_file_name(str(getattr(file, "name", "")))
    # A file of text may hold anything; its content tells.
    return None if found == media_types.PLAIN else found


def _split(pair: str) -> tuple[str, str]:
    name, separator, value = pair.partition("=")
    if not separator:
        raise click.BadParameter(f"{pair!r} is not NAME=VALUE.", param_hint="variable")
    return name, value
