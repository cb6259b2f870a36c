"""`flaskllm usage timeseries`, `latency` and `shares`: over time, and among whom."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import click

from flaskllm.cli.problems import problems_told
from flaskllm.cli.usage_forms import DAY, FORMAT, Obtain, day, told
from flaskllm.core.money import dollars_of
from flaskllm.core.slots import BUCKET_SIZES, BucketSize
from flaskllm.services.series_tables import (
    SERIES_HEADINGS,
    SHARES_HEADINGS,
    TIMINGS_HEADINGS,
    series_rows,
    shares_rows,
    timings_rows,
)
from flaskllm.services.usage_reports import BY, By, UsageQueries, Wanted
from flaskllm.services.usage_shares import Shares
from flaskllm.services.usage_tables import Row
from flaskllm.services.usage_timings import MEASURES, TIMED_BY, Measure, TimedBy

_Command = Callable[..., None]
_SERIES_TEXT = (
    "starts_at",
    "key",
    "name",
    "requests",
    "failed",
    "tokens_input",
    "tokens_output",
    "cost",
)
_SHARES_TEXT = (
    "alias",
    "deployment",
    "answered",
    "part_of_answered",
    "part_of_cost",
    "cost",
    "cheaper",
)


def _filtered(command: _Command) -> _Command:
    """Give a command the options that say which usage is asked for."""
    options = (
        click.option("--since", type=DAY, help="The first day; the month's if absent."),
        click.option("--until", type=DAY, help="The last day; today if left out."),
        click.option("--token", "principal_id", metavar="ID", help="One API token."),
        click.option("--model", help="The upstream's name of the model."),
        click.option("--alias", help="One alias only."),
        click.option("--deployment", help="One deployment only."),
        click.option("--format", "form", type=FORMAT, default="text"),
    )
    for option in options:
        command = option(command)
    return command


_bucket = click.option(
    "--bucket", "size", type=click.Choice(BUCKET_SIZES), default="day"
)


@click.command("timeseries")
@_filtered
@_bucket
@click.option("--by", type=click.Choice(BY), help="A line for each of these too.")
@click.option("--source", help="Such as webhook:email or chat.")
@click.option("--tag", help="One tag only.")
@click.pass_obj
def timeseries(
    services: Obtain, /, form: str, size: BucketSize, by: By | None, **only: Any
) -> None:
    """Sum up usage and cost by the hour, day, week or month."""
    with problems_told():
        house = services()
        wanted = _wanted(house.usage_reports, **only)
        found = house.usage_panels.series.sums(wanted, size, by, None)
    _print(form, SERIES_HEADINGS, series_rows(found), _SERIES_TEXT)


@click.command("latency")
@_filtered
@_bucket
@click.option("--by", type=click.Choice(TIMED_BY), help="A line for each of these too.")
@click.option("--measure", type=click.Choice(MEASURES), default="answer")
@click.pass_obj
def latency(
    services: Obtain,
    /,
    form: str,
    size: BucketSize,
    by: TimedBy | None,
    measure: Measure,
    **only: Any,
) -> None:
    """Tell how long answers took, in milliseconds by percentile."""
    with problems_told():
        house = services()
        wanted = _wanted(house.usage_reports, **only)
        found = house.usage_panels.timings.spreads(wanted, measure, size, by, None)
    _print(form, TIMINGS_HEADINGS, timings_rows(found), TIMINGS_HEADINGS)


@click.command("shares")
@_filtered
@click.option("--source", help="Such as webhook:email or chat.")
@click.option("--tag", help="One tag only.")
@click.pass_obj
def shares(services: Obtain, /, form: str, **only: Any) -> None:
    """Tell who answered and what it cost, and what cheaper deployments saved."""
    with problems_told():
        house = services()
        found = house.usage_panels.shares.of(_wanted(house.usage_reports, **only), None)
    _print(form, SHARES_HEADINGS, shares_rows(found), _SHARES_TEXT)
    if form == "text":
        click.echo(_cheaper_text(found), err=True)


def _wanted(
    queries: UsageQueries,
    since: datetime | None,
    until: datetime | None,
    **only: str | None,
) -> Wanted:
    return Wanted(queries.span(day(since), day(until)), **only)


def _print(
    form: str, headings: Sequence[str], rows: Iterator[Row], shown: Sequence[str]
) -> None:
    """Print a table; as text only the columns that are shown."""
    places = [headings.index(name) for name in shown]

    def as_text(rows: Iterator[Row]) -> list[Sequence[str]]:
        titles = [name.upper() for name in shown]
        return [titles, *([_cell(row[place]) for place in places] for row in rows)]

    for line in told(form, headings, rows, as_text):
        click.echo(line)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _cheaper_text(found: Shares) -> str:
    part = found.cheaper
    if part.answered is None or part.cost is None:
        return "nothing was answered, or nothing had a price"
    saved = dollars_of(found.saved_nanos)
    return (
        f"{part.answered:.0%} of the answers and {part.cost:.0%} of the money went to "
        f"cheaper deployments; they saved about {saved} dollars (an estimate)"
    )
