"""`flaskllm templates eval`: how well a template does on documents that we know."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import cast

import click

from flaskllm.cli.problems import problems_told
from flaskllm.cli.summarise import make_call
from flaskllm.cli.table import table_lines
from flaskllm.core.ids import new_id
from flaskllm.services import Services
from flaskllm.services.digests.evaluation import (
    EVALUATED,
    Planted,
    Score,
    read_planted,
    score,
    total,
)
from flaskllm.services.digests.types import DigestType

PLANTED = Path(__file__).parent / "samples" / "planted"
_HEADINGS = ("document", "facts found", "verified", "forbidden", "tokens in", "out")
_DEFAULT = "summary"


@click.group()
def templates() -> None:
    """Look at how prompt templates do."""


@templates.command(name="eval")
@click.argument("name", default=_DEFAULT)
@click.option("--model", help="An alias of the settings.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--missed", is_flag=True, help="Also name what was not found.")
@click.pass_obj
def evaluate(
    services: Callable[[], Services],
    name: str,
    model: str | None,
    as_json: bool,
    missed: bool,
) -> None:
    """Digest twelve planted documents with the template NAME, and count.

    NAME is `summary` if left out; its type must be summary, action_items or reply.
    Each document costs one digest of the model.
    """
    with problems_told():
        kind = _type_of(name, services())
        scores = [
            _score(planted, kind, name, model, services())
            for planted in read_planted(PLANTED)
        ]
    if as_json:
        rows = [asdict(each) for each in (*scores, total(scores))]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for line in _lines(scores, missed=missed):
        click.echo(line)


def _type_of(name: str, services: Services) -> DigestType:
    """Return the digest type of a template.

    Raises:
        click.UsageError: There is no such template, or its type has no facts.
    """
    types = {each.name: each.type for each in services.templates.list()}
    fitting = sorted(known for known, kind in types.items() if kind in EVALUATED)
    if name not in fitting:
        known = ", ".join(fitting)
        raise click.UsageError(f"{name!r} cannot be evaluated; choose from: {known}")
    return cast(DigestType, types[name])


def _score(
    planted: Planted, kind: DigestType, name: str, model: str | None, services: Services
) -> Score:
    if sys.stderr.isatty():
        click.echo(planted.name, err=True)
    call, _ = make_call(services, new_id("req"))
    result = services.digests.make(planted.order(kind, name, model), call)
    return score(planted, result)


def _lines(scores: Sequence[Score], *, missed: bool) -> Iterator[str]:
    yield from table_lines([_HEADINGS, *map(_row, (*scores, total(scores)))])
    for each in scores:
        yield from (f"{each.name}: forbidden: {hit}" for hit in each.hits)
        if missed:
            yield from (f"{each.name}: not found: {fact}" for fact in each.missed)


def _row(one: Score) -> tuple[str, ...]:
    return (
        one.name,
        f"{one.found} of {one.wanted}",
        f"{one.verified_share:.0%}",
        str(len(one.hits)),
        str(one.tokens_input),
        str(one.tokens_output),
    )
