"""`flaskllm budgets`: set what may be spent, and see what is."""

import json
from collections.abc import Callable, Iterator, Sequence

import click

from flaskllm.cli.actors import cli_actor
from flaskllm.cli.problems import problems_of_words_told
from flaskllm.cli.table import table_lines
from flaskllm.core.money import dollars_of, nanos_of
from flaskllm.core.periods import PERIODS
from flaskllm.core.subjects import principal_subject, tag_subject
from flaskllm.services import Services
from flaskllm.services.budget_keeping import (
    BudgetReport,
    Changeable,
    NewBudget,
    Period,
)

Obtain = Callable[[], Services]

_HEADINGS = (
    *("ID", "SUBJECT", "PERIOD", "KIND", "LIMIT", "SPENT", "RESERVED", "RESETS"),
    "ON EXHAUSTED",
)
_NO_ALIAS = "none"


def _parse_dollars(
    _ctx: click.Context, _param: click.Parameter, value: str | None
) -> int | None:
    """Read dollars as nano-dollars, exactly.

    Raises:
        click.BadParameter: It is no decimal number, or has more than 9 decimals.
    """
    if value is None:
        return None
    try:
        return nanos_of(value)
    except ValueError as error:
        allowed = "dollars such as 25 or 25.00, with at most 9 decimals"
        raise click.BadParameter(f"{value!r} is not like {allowed}.") from error


@click.group("budgets")
def budgets() -> None:
    """Set what may be spent in a day, a week or a month."""


@budgets.command("create")
@click.option("--principal", metavar="ID", help="The id of an API token.")
@click.option("--tag", help="Or a tag: all who carry it spend together.")
@click.option("--period", required=True, type=click.Choice(PERIODS))
@click.option(
    "--limit",
    "limit_nanos",
    required=True,
    metavar="DOLLARS",
    callback=_parse_dollars,
    help="US dollars, such as 25.00; 0 stops everything.",
)
@click.option("--soft", is_flag=True, help="Only tell, never refuse.")
@click.option(
    "--on-exhausted", metavar="ALIAS", help="What is asked instead once it is spent."
)
@click.pass_obj
def create(
    services: Obtain,
    principal: str | None,
    tag: str | None,
    period: Period,
    limit_nanos: int,
    soft: bool,
    on_exhausted: str | None,
) -> None:
    """Set a budget; it holds at once. Its id is printed."""
    wanted = NewBudget(
        subject=_subject(principal, tag),
        period=period,
        kind="soft" if soft else "hard",
        limit_nanos=limit_nanos,
        on_exhausted=on_exhausted,
    )
    with problems_of_words_told():
        report = services().budgets.create(wanted, None, cli_actor())
    click.echo(report.budget.id)


@budgets.command("list")
@click.option("--principal", metavar="ID", help="Only those of this API token.")
@click.option("--tag", help="Only those of this tag.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def list_budgets(
    services: Obtain, principal: str | None, tag: str | None, as_json: bool
) -> None:
    """Show budgets and how they stand, in US dollars."""
    subject = None if principal is None and tag is None else _subject(principal, tag)
    with problems_of_words_told():
        found = services().budgets.list_all(subject)
    for line in _as_json(found) if as_json else _as_text(found):
        click.echo(line)


@budgets.command("update")
@click.argument("budget_id", metavar="ID")
@click.option(
    "--limit", "limit_nanos", metavar="DOLLARS", callback=_parse_dollars, help="Anew."
)
@click.option("--soft/--hard", "soft", default=None, help="Only tell, or refuse.")
@click.option(
    "--on-exhausted", metavar="ALIAS", help=f"What takes over; {_NO_ALIAS}: nothing."
)
@click.pass_obj
def update(
    services: Obtain,
    budget_id: str,
    limit_nanos: int | None,
    soft: bool | None,
    on_exhausted: str | None,
) -> None:
    """Change a budget; what was spent of it stays spent."""
    changes: dict[Changeable, object] = {}
    if limit_nanos is not None:
        changes["limit_nanos"] = limit_nanos
    if soft is not None:
        changes["kind"] = "soft" if soft else "hard"
    if on_exhausted is not None:
        changes["on_exhausted"] = None if on_exhausted == _NO_ALIAS else on_exhausted
    with problems_of_words_told():
        services().budgets.update(budget_id, changes, None, cli_actor())
    click.echo(f"Budget {budget_id} is changed.")


@budgets.command("remove")
@click.argument("budget_id", metavar="ID")
@click.pass_obj
def remove(services: Obtain, budget_id: str) -> None:
    """Remove a budget; it holds nothing back any more."""
    with problems_of_words_told():
        services().budgets.remove(budget_id, None, cli_actor())
    click.echo(f"Budget {budget_id} is removed.")


def _subject(principal: str | None, tag: str | None) -> str:
    if principal is not None and tag is None:
        return principal_subject(principal)
    if tag is not None and principal is None:
        return tag_subject(tag)
    raise click.UsageError("Give either --principal or --tag.")


def _as_text(found: Sequence[BudgetReport]) -> Iterator[str]:
    yield from table_lines([_HEADINGS, *map(_cells, found)])


def _cells(report: BudgetReport) -> tuple[str, ...]:
    budget = report.budget
    return (
        budget.id,
        budget.subject,
        budget.period,
        budget.kind,
        dollars_of(budget.limit_nanos),
        dollars_of(report.settled_nanos),
        dollars_of(report.standing.reserved_nanos),
        report.resets_at.isoformat(timespec="minutes"),
        budget.on_exhausted or "-",
    )


def _as_json(found: Sequence[BudgetReport]) -> Iterator[str]:
    rows = [
        {
            "id": report.budget.id,
            "subject": report.budget.subject,
            "period": report.budget.period,
            "kind": report.budget.kind,
            "limit_nanos": report.budget.limit_nanos,
            "on_exhausted": report.budget.on_exhausted,
            "spent_nanos": report.settled_nanos,
            "reserved_nanos": report.standing.reserved_nanos,
            "remaining_nanos": report.remaining_nanos,
            "period_start": report.standing.period_start.isoformat(),
            "resets_at": report.resets_at.isoformat(),
        }
        for report in found
    ]
    yield json.dumps(rows, indent=2)
