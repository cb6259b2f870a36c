"""Names in a tree of settings: who is meant by them, and which may be shown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flaskllm.core.config_problems import CheckName, Problem, describe, nearest


@dataclass(frozen=True, slots=True)
class Mask:
    """Words values so that none shows which came out of a variable or is long."""

    hidden: frozenset[str]

    def quote(self, name: str) -> str:
        """Return the name in quotes, or how long it is."""
        return describe(name, str, name in self.hidden)

    def bare(self, name: str) -> str:
        """Return the name as it is, or how long it is."""
        return name if self.shows(name) else self.quote(name)

    def shows(self, name: str) -> bool:
        """Tell whether the name may be shown."""
        return self.quote(name) == repr(name)


@dataclass(frozen=True, slots=True)
class Names:
    """The names that there are, and what bears them: a provider, an alias."""

    noun: str
    known: Sequence[str]
    check: CheckName

    def missing(self, path: str, name: str, mask: Mask) -> Iterator[Problem]:
        """Yield the problem of a name that is none of them."""
        if name not in self.known:
            allowed = ", ".join(map(mask.bare, self.known))
            yield Problem(
                path,
                f"{mask.quote(name)}, which is no {self.noun}",
                allowed or f"none yet: no {self.noun} is configured",
                nearest(name, filter(mask.shows, self.known)),
                check=self.check,
            )


def texts_at(value: object, paths: frozenset[str], path: str = "") -> Iterator[str]:
    """Yield the texts of a tree that stand at one of these dotted paths."""
    if isinstance(value, str) and path in paths:
        yield value
    below = value.items() if isinstance(value, Mapping) else enumerate(items(value))
    for key, each in below:
        yield from texts_at(each, paths, f"{path}.{key}" if path else str(key))


def section(value: object) -> Mapping[str, object]:
    """Return the section; an empty one where the value is none."""
    return value if isinstance(value, Mapping) else {}


def items(value: object) -> Sequence[object]:
    """Return the list; an empty one where the value is none."""
    return value if isinstance(value, list | tuple) else ()
