"""Names of models: which can be passed on, and which is meant by an unknown one."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from flaskllm.core.errors import Field, ModelNotFound

# A name may end up in an upstream's URL, so it holds nothing that means something
# there; `:`, `@` and `/` are part of real names.
_PLAIN = re.compile(r"(?!.*\.\.)[0-9A-Za-z][0-9A-Za-z._:@/+-]{0,199}")

_SHOWN_CHARACTERS = 80
_LIKENESS = 0.5
_MOST_SHOWN = 20


def is_plain(name: str) -> bool:
    """Tell whether an upstream can be asked for this name as it is."""
    return _PLAIN.fullmatch(name) is not None


def shown(name: str) -> str:
    """Return a caller's name as an error repeats it: quoted, and cut."""
    return repr(name[:_SHOWN_CHARACTERS])


def nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return up to three known names that look like this one, the likest first."""
    close = get_close_matches(
        name[:_SHOWN_CHARACTERS], list(dict.fromkeys(known)), n=3, cutoff=_LIKENESS
    )
    return tuple(close)


def not_found(
    model: str, names: Sequence[str], listed: Iterable[str], hint: str
) -> ModelNotFound:
    """Return what tells that nothing has this name, and which names are like it.

    Args:
        model: As the caller wrote it.
        names: What the settings make known; told where nothing is like it.
        listed: What upstreams list besides; told where there is nothing else.
        hint: What else may be wrong, or nothing.
    """
    listed = tuple(listed)
    near = nearest(model, (*names, *listed))
    allowed = ", ".join(near or names or listed[:_MOST_SHOWN]) or "none"
    problem = f"{shown(model)} is unknown{hint}"
    told = f"the nearest: {allowed}" if near else f"allowed: {allowed}"
    return ModelNotFound(
        details=f"model: {problem}; {told}",
        fields=[Field("model", problem, allowed)],
    )
