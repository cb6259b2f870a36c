"""`flaskllm usage timeseries`, `latency` and `shares`: over time, and among whom."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from flaskllm.cli.problems import problems_of_words_told
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
# The columns of the text, and their titles.
_SERIES_TEXT = {
    "starts_at": "FROM",
    "key": "KEY",
    "name": "NAME",
    "requests": "REQUESTS",
    "failed": "FAILED",
    "tokens_input": "INPUT",
    "tokens_output": "OUTPUT",
    "cost": "DOLLARS",
    "cache_hits": "CACHED",
    "saved_nanos": "SAVED",
}
_TIMINGS_TEXT = {name: name.upper() for name in TIMINGS_HEADINGS} | {
    "starts_at": "FROM"
}
_SHARES_TEXT = {
    "alias": "ALIAS",
    "deployment": "DEPLOYMENT",
    "answered": "ANSWERED",
    "part_of_answered": "PART_OF_ANSWERED",
    "part_of_cost": "PART_OF_COST",
    "cost": "DOLLARS",
    "cheaper": "CHEAPER",
}


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
    with problems_of_words_told():
        house = services()
        wanted = _wanted(house.usage_reports, **only)
        found = house.usage_panels.series.sums(wanted, size, by, None)
    rows, shown = series_rows(found), _of_lines(_SERIES_TEXT, by)
    _print(form, SERIES_HEADINGS, rows, shown, counted="attempts")


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
    with problems_of_words_told():
        house = services()
        wanted = _wanted(house.usage_reports, **only)
        found = house.usage_panels.timings.spreads(wanted, measure, size, by, None)
    rows, shown = timings_rows(found), _of_lines(_TIMINGS_TEXT, by)
    _print(form, TIMINGS_HEADINGS, rows, shown, counted="count")


@click.command("shares")
@_filtered
@click.option("--source", help="Such as webhook:email or chat.")
@click.option("--tag", help="One tag only.")
@click.pass_obj
def shares(services: Obtain, /, form: str, **only: Any) -> None:
    """Tell who answered and what it cost, and what cheaper deployments saved."""
    with problems_of_words_told():
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


def _of_lines(shown: Mapping[str, str], by: str | None) -> Mapping[str, str]:
    """Return the columns without those that all lines leave empty."""
    hidden = {None: {"key", "name"}, "token": set()}.get(by, {"name"})
    return {name: title for name, title in shown.items() if name not in hidden}


def _print(
    form: str,
    headings: Sequence[str],
    rows: Iterator[Row],
    shown: Mapping[str, str],
    counted: str | None = None,
) -> None:
    """Print a table; as text only the columns that are shown.

    And of a group only rows where this column counts something: the total tells that
    there was time in between.
    """

    def as_text(rows: Iterator[Row]) -> list[Sequence[str]]:
        lines: list[Sequence[str]] = [[*shown.values()]]
        for row in rows:
            named = dict(zip(headings, row, strict=True))
            if counted is None or named[counted] or not named["key"]:
                lines.append([_cell(name, named[name]) for name in shown])
        return lines

    for line in told(form, headings, rows, as_text):
        click.echo(line)


def _cell(name: str, value: object) -> str:
    if name == "key" and value == "":
        return "all"
    if name == "saved_nanos":
        return str(dollars_of(int(str(value))))
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
