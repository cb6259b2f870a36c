"""Which of all names a caller may send."""

from collections.abc import Iterable
from dataclasses import dataclass

_ANY = "*"


@dataclass(frozen=True, slots=True)
class Allowed:
    """The names that one caller may send.

    `entries` None is every name. An entry is a name as it would be sent, whatever
    it leads to: an alias, what a pattern takes, `provider/model`, `capability:x`.
    One that ends in `*` stands for all names that begin so.
    """

    entries: frozenset[str] | None = None

    @property
    def is_everything(self) -> bool:
        """Tell whether there is no list: nothing has to be hidden."""
        return self.entries is None

    def holds(self, name: str) -> bool:
        """Tell whether this name may be sent."""
        if self.entries is None or name in self.entries:
            return True
        return any(
            name.startswith(entry.removesuffix(_ANY))
            for entry in self.entries
            if entry.endswith(_ANY)
        )

    def among(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return those of the names that may be sent, in their order."""
        return tuple(name for name in names if self.holds(name))

    def spelled_out(self) -> tuple[str, ...]:
        """Return the entries that stand for themselves, in alphabetical order."""
        entries = self.entries or frozenset()
        return tuple(sorted(each for each in entries if not each.endswith(_ANY)))


EVERYTHING = Allowed()
