"""What `flaskllm route explain` prints for people."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flaskllm.core.money import NANOS_PER_DOLLAR
from flaskllm.llm.strategies.scores import SCORES, Score

# Of a gateway that knows a strategy which we do not.
_PLAIN = Score("")
_HEADINGS = (
    "",
    "ROUTE",
    "DEPLOYMENT",
    "MODEL",
    "SCORE",
    "WEIGHT",
    "TOKENS",
    "COST",
    "STATE",
    "IN FLIGHT",
    "HEADROOM",
    "LATENCY",
)
_EXCLUDED = ("ROUTE", "DEPLOYMENT", "MODEL", "WHY", "FOR", "DETAILS")
_WORDS: Mapping[str, str] = {
    "lacking": "lacks what is needed",
    "too_long": "input too long",
    "no_price": "no price",
    "not_local": "not tagged local",
    "cooling": "cooling down",
    "limited": "limit reached",
    "credential": "credential rejected",
    "busy": "busy",
    "disabled": "disabled by an operator",
}

Explained = Mapping[str, Any]


def explanation_text(explained: Explained) -> Iterator[str]:
    """Yield the explanation for people, line by line."""
    route = explained["route"]
    behind = ", then ".join(route["fallbacks"]) or "none"
    yield f"Route {route['name']}: {route['strategy']}, rescue {route['rescue']}."
    yield f"Fallbacks: {behind}."
    meanings = {
        each["route"]: each["score_meaning"] for each in explained["candidates"]
    }
    yield from (
        f"Score of {name}: {_printed(said)}." for name, said in meanings.items()
    )
    yield ""
    if explained["candidates"]:
        rows = enumerate(explained["candidates"], start=1)
        yield from _table([_HEADINGS, *(_candidate(*each) for each in rows)])
    else:
        yield from _nobody(explained)
    if explained["exclusions"]:
        yield ""
        yield "Not asked now:"
        yield from _table([_EXCLUDED, *map(_exclusion, explained["exclusions"])])


def _nobody(explained: Explained) -> Iterator[str]:
    error = explained["error"]
    if error is None:
        last_resort = explained["last_resort"]
        yield f"Nobody is ready; one request at a time may try {last_resort}."
        return
    yield f"Nobody would be asked: {error['code']}."
    yield " ".join(filter(None, (error["error"], error["details"])))


def _candidate(rank: int, told: Explained) -> tuple[str, ...]:
    standing = told["standing"]
    latency = standing["first_token_seconds"] or standing["answer_seconds"]
    cost = told["cost"]
    return (
        f"{rank}.",
        told["route"],
        told["deployment"],
        told["model"],
        _score(told["score"], SCORES.get(told["strategy"], _PLAIN)),
        str(told["weight"]),
        f"{told['tokens_input']}+{told['tokens_output']}",
        "unknown" if cost is None else _dollars(cost),
        standing["state"] + (" (set)" if standing["overridden"] else ""),
        str(standing["in_flight"]),
        f"{standing['headroom']:.0%}",
        "-" if latency is None else f"{latency:.2f} s",
    )


def _printed(meaning: str) -> str:
    """Return what a score means as the column has it: dollars, `unknown` for -1."""
    return meaning.replace("nano-dollars", "dollars").replace("-1 not", "unknown: not")


def _score(score: float | None, kind: Score) -> str:
    if score is None:
        return "-"
    if score == kind.unknown:
        return "unknown"
    return _dollars(score / NANOS_PER_DOLLAR) if kind.is_money else f"{score:.4g}"


def _dollars(dollars: float) -> str:
    return f"${dollars:.6f}"


def _exclusion(told: Explained) -> tuple[str, ...]:
    seconds = told["seconds"]
    return (
        told["route"],
        told["deployment"],
        told["model"],
        _WORDS[told["reason"]],
        "-" if seconds is None else f"{seconds:.0f} s",
        told["details"] or "-",
    )


def _table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield the rows as lines whose columns stand under each other."""
    lines = list(rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for row in lines:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
