"""Every check of the configuration, by name and in layers, each with what it found."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from flaskllm.core.config import CheckName, Examined, Loaded, Problem, placed
from flaskllm.wiring.checks import find_faults
from flaskllm.wiring.inbound_doubts import looked_up_payers

Layer: TypeAlias = Literal["syntax", "schema", "consistency", "live"]
Status: TypeAlias = Literal["ok", "warning", "error", "skipped"]

LAYERS: Mapping[Layer, Mapping[CheckName, str]] = {
    "syntax": {
        "file": "the file can be read, and is YAML",
        "dotenv": ".env can be read",
        "references": "every ${NAME} is set",
        "variables": "every FLASKLLM_ variable is a setting",
    },
    "schema": {
        "names": "every name is known",
        "values": "every value has its type and range",
        "secrets": "secrets are strong, credentials can be sent",
    },
    "consistency": {
        "providers": "each provider has what its kind needs",
        "deployments": "each deployment names a provider",
        "routes": "each route names deployments and aliases that exist",
        "duplicates": "no two routes answer to the same",
        "fallbacks": "fallbacks do not lead in a circle",
        "reach": "each route can fire",
        "capabilities": "a deployment has what its route promises",
        "default_route": "default_route is an alias",
        "prices": "prices are known",
        "templates": "templates can be used",
        "certificates": "trusted certificates can be read",
        "inbound": "inbound endpoints have what their senders need",
    },
    "live": {
        "reachable": "each upstream answers",
        "credentials": "each upstream accepts our credential",
        "models": "each upstream lists the models of its deployments",
    },
}
"""The checks in their order, and what holds where each is ok."""

# What is made of good settings cannot be looked at while they are bad.
_OF_GOOD_SETTINGS = ("prices", "templates", "certificates", "inbound")


@dataclass(frozen=True, slots=True)
class Told:
    """What the upstreams told: the problems, and who could not be asked and why."""

    problems: Sequence[Problem] = ()
    not_asked: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one check. `note` says why it was skipped, or what it left out."""

    layer: Layer
    check: CheckName
    status: Status
    problems: tuple[Problem, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of all checks, in their order; `loaded` is None after an error."""

    outcomes: tuple[Outcome, ...]
    loaded: Loaded | None

    def count(self, level: Literal["warning", "error"]) -> int:
        """Return how many problems of this level there are."""
        problems = (problem for each in self.outcomes for problem in each.problems)
        return sum(problem.is_warning is (level == "warning") for problem in problems)

    @property
    def is_good(self) -> bool:
        """Tell whether the gateway could start with it."""
        return self.count("error") == 0


def run_checks(
    examined: Examined, ask: Callable[[Loaded], Told] | None = None
) -> Report:
    """Return the report of all checks that can be made.

    Args:
        examined: What came of the settings' sources.
        ask: Asks the upstreams about themselves; None leaves the network alone.
    """
    problems = list(examined.problems)
    loaded = examined.loaded
    if loaded is not None:
        problems += _placed(find_faults(loaded.settings), loaded)
        payers = looked_up_payers(loaded.settings, by_network=ask is not None)
        problems += _placed(payers, loaded)
    outcomes = _outcomes(problems, examined)
    if not all(each.is_warning for each in problems):
        loaded = None
    if ask is not None:
        told = ask(loaded) if loaded else None
        outcomes += _live_outcomes(told, loaded)
    return Report(tuple(outcomes), loaded)


def _placed(problems: Iterable[Problem], loaded: Loaded) -> list[Problem]:
    return [placed(each, loaded.origins) for each in problems]


def _outcomes(problems: Sequence[Problem], examined: Examined) -> list[Outcome]:
    return [
        _outcome(layer, name, problems, _why_skipped(layer, name, examined))
        for layer, names in LAYERS.items()
        if layer != "live"
        for name in names
    ]


def _why_skipped(layer: Layer, name: CheckName, examined: Examined) -> str:
    """Return why a check that found nothing was not made, or ''."""
    needs_file = layer != "syntax" or name == "references"
    if needs_file and not examined.is_read:
        return "the file cannot be read"
    if name in _OF_GOOD_SETTINGS and examined.loaded is None:
        return "the settings cannot be used"
    return ""


def _live_outcomes(told: Told | None, loaded: Loaded | None) -> list[Outcome]:
    names = LAYERS["live"]
    if told is None or loaded is None:
        why = "the settings cannot be used"
        return [Outcome("live", name, "skipped", note=why) for name in names]
    problems = _placed(told.problems, loaded)
    why = "" if loaded.settings.providers else "there is no provider"
    note = "; ".join(f"{name} {reason}" for name, reason in told.not_asked.items())
    return [
        _outcome("live", name, problems, why, f"not asked: {note}" if note else "")
        for name in names
    ]


def _outcome(
    layer: Layer,
    name: CheckName,
    problems: Sequence[Problem],
    why_skipped: str,
    note: str = "",
) -> Outcome:
    mine = tuple(each for each in problems if each.check == name)
    if mine:
        is_mild = all(each.is_warning for each in mine)
        return Outcome(layer, name, "warning" if is_mild else "error", mine, note)
    if why_skipped:
        return Outcome(layer, name, "skipped", note=why_skipped)
    return Outcome(layer, name, "ok", note=note)
