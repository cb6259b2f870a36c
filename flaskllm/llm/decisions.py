"""Why it was a deployment's turn, in a few words: for a header and the usage rows.

ASCII, at most 300 characters; names of the settings, codes and numbers only.
"""

from collections.abc import Sequence
from functools import lru_cache

from flaskllm.llm.lineup import Candidate
from flaskllm.llm.obstacles import told

_CHARACTERS = 300


@lru_cache(maxsize=1024)
def only(alias: str, deployment: str) -> str:
    """Return the decision where there was nothing to decide: `fast: mini`."""
    return _short(f"{alias}: {deployment}")


def first(strategy: str, candidates: Sequence[Candidate]) -> str:
    """Return what a route's strategy made of its candidates.

    `fast weighted: mini 0.80, haiku 0.20; skipped rack (cooling 3 s)`
    """
    said = f"{candidates[0].alias} {strategy}: {_scores(candidates)}"
    return _short(said + _skipped(candidates))


def after(
    verb: str, code: str, current: Candidate, untried: Sequence[Candidate]
) -> str:
    """Return why somebody else is asked, or the same again.

    `retry after LLM_SERVER_ERROR`, `fallback local after LLM_TIMEOUT: llama`

    Args:
        verb: What is done: `retry`, `wait`, `next`, `fallback local`, `last resort`.
        code: Of the last failure, empty where there is none.
        current: Whom it is done to.
        untried: Those that were not asked yet, with their obstacles.
    """
    said = f"{verb} after {code}" if code else verb
    if verb == "retry":
        return _short(said)
    others = [each for each in untried if each.name != current.name]
    return _short(f"{said}: {_score(current)}{_skipped(others)}")


def _scores(candidates: Sequence[Candidate]) -> str:
    free = [_score(each) for each in candidates if each.obstacle is None]
    return ", ".join(free) or "nobody"


def _score(candidate: Candidate) -> str:
    score = candidate.score
    if score is None:
        return candidate.name
    number = f"{score:.2f}" if abs(score) < 1000.0 else f"{score:.0f}"
    return f"{candidate.name} {number}"


def _skipped(candidates: Sequence[Candidate]) -> str:
    said = [told(each.name, each.obstacle) for each in candidates if each.obstacle]
    return f"; skipped {', '.join(said)}" if said else ""


def _short(text: str) -> str:
    """Return printable ASCII of at most 300 characters."""
    kept = text[:_CHARACTERS]
    if kept.isascii() and kept.isprintable():
        return kept
    plain = kept.encode("ascii", "replace").decode("ascii")
    return "".join(each if each.isprintable() else "?" for each in plain)
