"""What only deployments of ours were to see: why, and who answered. A value."""

from dataclasses import dataclass

from flaskllm.core.sensitive import Found


@dataclass(frozen=True, slots=True)
class Confined:
    """One request, or one document, that only local deployments were to see.

    Attributes:
        found: The rules that matched, and how often; never the text.
        deployments: Those that answered, in order, each once; empty when none did.
        code: How it ended: `OK`, or the code of the error.
        subject: What it was, such as `request` or `digest`.
    """

    found: Found
    deployments: tuple[str, ...] = ()
    code: str = "OK"
    subject: str = "request"


def ignore(confined: Confined) -> None:
    """Hear it, and keep nothing."""
