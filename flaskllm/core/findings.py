"""What one process found of a deployment, as the others are told."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

FindingKind = Literal[
    "breaker",  # it is open, or closed; of a provider: it is down, or was reached
    "pause",  # its upstream asked for patience
    "credential",  # it is rejected, or accepted again
]
FORGOTTEN_SECONDS = 600.0
"""So old, a finding matters to nobody: who asks now finds out for itself."""

KINDS: frozenset[str] = frozenset(get_args(FindingKind))


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, in one of its kinds; of each the last one counts.

    Attributes:
        subject: Whom it is about: a name that all processes give it.
        kind: What it is about.
        left_seconds: How long it still holds; 0.0 = its time has passed, None = it
            was taken back.
        code: The error's that led to it.
        times: How often in a row.
        told_by: The process that found it; empty before it is told.
    """

    subject: str
    kind: FindingKind
    left_seconds: float | None
    code: str = ""
    times: int = 0
    told_by: str = ""

    def after(self, seconds: float) -> "Finding":
        """Return it as it stands so much later."""
        if self.left_seconds is None:
            return self
        return replace(self, left_seconds=max(0.0, self.left_seconds - seconds))


@dataclass(frozen=True, slots=True)
class News:
    """What was told since a version, oldest first; `version` is that of the last."""

    version: int
    findings: tuple[Finding, ...] = ()
