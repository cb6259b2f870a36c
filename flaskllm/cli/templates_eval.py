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
from flaskllm.core.errors import (
    LLMAPIError,
    LLMCredentialRejected,
    NoModelConfigured,
)
from flaskllm.core.ids import new_id
from flaskllm.services import Services
from flaskllm.services.digests.evaluation import (
    EVALUATED,
    Planted,
    Score,
    read_planted,
    score,
    score_failed,
    total,
)
from flaskllm.services.digests.types import DigestType

PLANTED = Path(__file__).parent / "samples" / "planted"
_HEADINGS = ("document", "facts found", "verified", "forbidden", "tokens in", "out")
_DEFAULT = "summary"
_NOTHING = "-"
# What holds of every document, and costs nothing, ends the run.
_HOPELESS = (LLMCredentialRejected, NoModelConfigured)


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
    Each document costs one digest of the model. One that the model could not answer
    is counted as failed; the status is then 1.
    """
    with problems_told():
        kind = _type_of(name, services())
        scores = [
            _score(planted, kind, name, model, services())
            for planted in read_planted(PLANTED)
        ]
    told = _json_lines(scores) if as_json else _lines(scores, missed=missed)
    for line in told:
        click.echo(line)
    if total(scores).failures:
        sys.exit(1)


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
    try:
        result = services.digests.make(planted.order(kind, name, model), call)
    except _HOPELESS:
        raise
    except LLMAPIError as error:
        return score_failed(planted, kind, error)
    return score(planted, result)


def _json_lines(scores: Sequence[Score]) -> Iterator[str]:
    rows = [asdict(each) for each in (*scores, total(scores))]
    yield json.dumps(rows, ensure_ascii=False, indent=2)


def _lines(scores: Sequence[Score], *, missed: bool) -> Iterator[str]:
    rows = [*map(_row, scores), _counts(total(scores))]
    yield from table_lines([_HEADINGS, *rows])
    for each in scores:
        yield from (f"{each.name}: failed: {failure}" for failure in each.failures)
        yield from (f"{each.name}: forbidden: {hit}" for hit in each.hits)
        if missed:
            yield from (f"{each.name}: not found: {fact}" for fact in each.missed)


def _row(one: Score) -> tuple[str, ...]:
    if one.failures:
        return (one.name, "failed", *(_NOTHING for _ in _HEADINGS[2:]))
    return _counts(one)


def _counts(one: Score) -> tuple[str, ...]:
    share = one.verified_share
    return (
        one.name,
        f"{one.found} of {one.wanted}",
        _NOTHING if share is None else f"{share:.0%}",
        str(len(one.hits)),
        str(one.tokens_input),
        str(one.tokens_output),
    )
