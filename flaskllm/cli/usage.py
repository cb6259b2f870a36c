"""`flaskllm usage`: what was used, and what it cost."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import click

from flaskllm.cli.problems import problems_of_words_told
from flaskllm.cli.usage_forms import DAY, FORMAT, Obtain, day, told
from flaskllm.cli.usage_series import latency, shares, timeseries
from flaskllm.core.money import dollars_of
from flaskllm.core.paging import read_place
from flaskllm.services.usage_reports import BY, By, RequestReport, Summary, Wanted
from flaskllm.services.usage_tables import (
    REQUEST_HEADINGS,
    SUMMARY_HEADINGS,
    Row,
    request_rows,
    summary_rows,
)

_SUMMARY_SHOWN = (
    "key",
    "name",
    "requests",
    "tokens_input",
    "tokens_output",
    "cost",
    "unpriced",
    "cache_hits",
    "saved",
)
_SUMMARY_TEXT = (
    "KEY",
    "NAME",
    "REQUESTS",
    "INPUT",
    "OUTPUT",
    "DOLLARS",
    "UNPRICED",
    "CACHED",
    "SAVED",
)
_REQUEST_TEXT = (
    "TIME",
    "REQUEST",
    "TOKEN",
    "DEPLOYMENT",
    "OUTCOME",
    "INPUT",
    "OUTPUT",
    "DOLLARS",
)


@click.group("usage")
def usage() -> None:
    """Show what was used, and what it cost."""


for _command in (timeseries, latency, shares):
    usage.add_command(_command)


@usage.command("summary")
@click.option("--since", type=DAY, help="The first day; the month's if left out.")
@click.option("--until", type=DAY, help="The last day; today if left out.")
@click.option("--by", type=click.Choice(BY), default="model", show_default=True)
@click.option("--token", "principal_id", metavar="ID", help="One API token only.")
@click.option("--tag", help="One tag only.")
@click.option("--format", "form", type=FORMAT, default="text", show_default=True)
@click.pass_obj
def summary(
    services: Obtain,
    since: datetime | None,
    until: datetime | None,
    by: By,
    principal_id: str | None,
    tag: str | None,
    form: str,
) -> None:
    """Sum up usage and cost, in days of the reporting time zone."""
    with problems_of_words_told():
        reports = services().usage_reports
        span = reports.span(day(since), day(until))
        wanted = Wanted(span, principal_id=principal_id, tag=tag)
        found = reports.summary(wanted, (by,), None)
    for line in told(form, SUMMARY_HEADINGS, summary_rows(found), _summary_text):
        click.echo(line)
    if form == "text":
        click.echo(_span_text(found), err=True)


@usage.command("requests")
@click.option("--since", type=DAY, help="The first day; the month's if left out.")
@click.option("--until", type=DAY, help="The last day; today if left out.")
@click.option("--token", "principal_id", metavar="ID", help="One API token only.")
@click.option("--model", help="The upstream's name of the model.")
@click.option("--deployment", help="One deployment only.")
@click.option("--source", help="Such as webhook:email or chat.")
@click.option("--tag", help="One tag only.")
@click.option("--outcome", help="OK, or the code of an error.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--after", help="Go on behind the page whose end is given.")
@click.option("--format", "form", type=FORMAT, default="text", show_default=True)
@click.pass_obj
def requests(
    services: Obtain,
    /,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    after: str | None,
    form: str,
    **only: str | None,
) -> None:
    """List requests, the newest first, with each attempt and its cost."""
    with problems_of_words_told():
        reports = services().usage_reports
        span = reports.span(day(since), day(until))
        before = read_place(after) if after else None
        found = reports.requests(Wanted(span, **only), limit + 1, before, None)
    page = found[:limit]
    for line in told(form, REQUEST_HEADINGS, request_rows(page), _requests_text):
        click.echo(line)
    if len(found) > limit:
        _tell_next(page[-1])


def _tell_next(last: RequestReport) -> None:
    click.echo(f"more: --after {last.place.text()}", err=True)


def _span_text(found: Summary) -> str:
    return f"{found.span.first} to {found.span.last}, {found.time_zone}"


def _summary_text(rows: Iterator[Row]) -> list[Sequence[str]]:
    lines: list[Sequence[str]] = [_SUMMARY_TEXT]
    for row in rows:
        shown = dict(zip(SUMMARY_HEADINGS, row, strict=True))
        shown["key"] = shown["key"] or "all"
        shown["saved"] = dollars_of(int(str(shown["saved_nanos"])))
        lines.append([str(shown[name]) for name in _SUMMARY_SHOWN])
    return lines


def _requests_text(rows: Iterator[Row]) -> list[Sequence[str]]:
    lines: list[Sequence[str]] = [_REQUEST_TEXT]
    for row in rows:
        told = dict(zip(REQUEST_HEADINGS, row, strict=True))
        lines.append(
            (
                str(told["created_at"])[:19],
                f"{told['request_id']}#{told['attempt']}",
                str(told["token"]),
                str(told["deployment"]),
                str(told["outcome"]),
                str(told["tokens_input"]),
                str(told["tokens_output"]),
                "unknown" if told["cost"] is None else str(told["cost"]),
            )
        )
    return lines
