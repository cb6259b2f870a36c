"""First starts on an empty folder: what a failed one leaves the next one mends."""

from collections.abc import Iterable, Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

from api_tokens import make_token
from kth_failure import Edge
from kth_faults import Fault
from kth_loop import Result, calls_of, numbers
from kth_stage import TYPED, Told, Wrong, typed

from flaskllm.core.auth import Scope
from flaskllm.core.config import ConfigError, load
from flaskllm.core.errors import APIError
from flaskllm.factory import create_app
from flaskllm.wiring import build_services
from flaskllm.wiring.start import find_refusal

READY = "/api/v1/health/ready"
SETTINGS = "log_format: json\n"


def start_all(folder: Path, faults: Iterable[Fault], most: int | None) -> Result:
    """Start on empty folders, with another call of the start failing each time."""
    result = Result()
    with Edge(folder).open() as edge:
        for number, fault in enumerate(faults):
            own = folder / str(number)
            first = _new(own, 0)
            with chdir(first):
                calls = calls_of(edge, fault, lambda first=first: _start(first))
            for k in numbers(calls, most):
                _round(_new(own, k), edge, fault, k, result)
    return result


def _new(folder: Path, k: int) -> Path:
    made = folder / str(k)
    made.mkdir(parents=True)
    (made / "flaskllm.yaml").write_text(SETTINGS)
    return made


def _round(folder: Path, edge: Edge, fault: Fault, k: int, result: Result) -> None:
    with chdir(folder), edge.failing(fault, k) as shot:
        outcome, wrongs = _outcome(folder)
    again, more = _outcome(folder)
    wrongs += more if again != "told" else ["the next start failed"]
    if shot.hit:
        result.count(outcome)
    elif outcome != "done":
        wrongs.append("it failed without a fault")
    result.note(shot, outcome, [*wrongs, *_left_wrong(folder)])


def _outcome(folder: Path) -> tuple[str, list[str]]:
    try:
        _start(folder)
    except Told:
        return "told", []
    except Exception as error:
        return "wrong", [f"{type(error).__name__}: {error}"]
    return "done", []


def _start(folder: Path) -> None:
    """Start, make an API token, and use it.

    Raises:
        Told: It was refused in words, or told by a typed error.
    """
    try:
        loaded = load({}, folder)
        refusal = find_refusal(loaded.settings)
        services = build_services(loaded)
    except (ConfigError, APIError) as error:
        raise Told(str(error)) from error
    if refusal is not None:
        raise Told(refusal)
    client = create_app(loaded, services).test_client()
    try:
        token = typed(make_token, services.api_tokens, Scope.READ).text
        bearer = {"Authorization": f"Bearer {token}"}
        _expect(client.get("/api/v1/tokens/self", headers=bearer))
        _expect(client.get(READY))
    finally:
        services.workflows.close()
        services.database.close()


def _expect(reply: Any) -> None:
    text = reply.text
    reply.close()
    if reply.status_code in TYPED:
        raise Told(text)
    if reply.status_code != 200:
        raise Wrong(f"{reply.status_code} {text}")


def _left_wrong(folder: Path) -> Iterator[str]:
    """Yield what a start has left as it must not be."""
    data = folder / "data"
    for path in (data, *data.iterdir()):
        if path.stat().st_mode & 0o077:
            yield f"others may look into {path.name}"
    if len((data / "secret").read_text().strip()) < 32:
        yield "half a secret"
    database = build_services(load({}, folder)).database
    yield from database.examine().faults
    database.close()
