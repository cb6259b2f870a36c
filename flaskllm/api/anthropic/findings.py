"""What a reader of a request finds that the canonical form cannot hold."""

from dataclasses import dataclass
from dataclasses import field as default

from flaskllm.core.errors import Field

_MOST_SHOWN = 20
_ANTHROPIC_ONLY = "left out, or a model of Anthropic's own"


@dataclass(slots=True)
class Findings:
    """Names that another dialect drops, and content that it must not lose.

    Attributes:
        extras: Names of fields, each once, in the order of the request.
        essential: The places of what carries meaning that only Anthropic's own
            service reads: a document, a tool that it runs.
    """

    extras: dict[str, None] = default(default_factory=dict)
    essential: list[Field] = default(default_factory=list)

    def drop(self, names: "set[str] | frozenset[str]") -> None:
        """Note fields without which the request still means the same."""
        self.extras.update(dict.fromkeys(sorted(names)))

    def need(self, path: str, what: str) -> None:
        """Note content that must not be lost on the way."""
        if len(self.essential) < _MOST_SHOWN:
            self.essential.append(
                Field(path, f"{what} is not understood by this model", _ANTHROPIC_ONLY)
            )
