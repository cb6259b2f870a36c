"""All scenes side by side, before one gateway on its default settings."""

import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from fault_gateway import Gateway, serving, settings_of
from fault_places import Place, Visit
from fault_records import Asked, Called, Record, save
from fault_scenes import (
    BACK_WITHIN_SECONDS,
    DOWN_SECONDS,
    EVERY_SECONDS,
    OUTAGE,
    SCENES,
)
from processes import House

LOG = "log.json"


@dataclass
class Stage:
    """A scene with its two upstreams."""

    name: str
    primary: Place
    spare: Place

    def close(self) -> None:
        """Give back both ports."""
        self.primary.close()
        self.spare.close()

    def play(self, gateway: Gateway) -> Record:
        """Ask once, and return how it was."""
        with self.primary.opened(), self.spare.opened():
            called = gateway.stream(self.name, f"fault-{self.name}-1")
            return self._record(gateway, [called])

    def play_outage(self, gateway: Gateway) -> Record:
        """Ask at a steady pace while the primary is down and until it is back."""
        calls: list[Called] = []
        begun_at = time.monotonic()
        healthy_at = begun_at + DOWN_SECONDS
        with ExitStack() as places:
            places.enter_context(self.spare.opened())
            is_up = False
            while time.monotonic() < healthy_at + BACK_WITHIN_SECONDS:
                if not is_up and time.monotonic() >= healthy_at:
                    places.enter_context(self.primary.opened())
                    is_up = True
                number = f"fault-{self.name}-{len(calls) + 1:03}"
                calls.append(gateway.stream(self.name, number))
                if len([each for each in self.primary.visits if each.was_told]) >= 3:
                    break
                next_at = begun_at + len(calls) * EVERY_SECONDS
                time.sleep(max(0.0, next_at - time.monotonic()))
            return self._record(gateway, calls, healthy_at)

    def _record(
        self, gateway: Gateway, calls: Sequence[Called], healthy_at: float = 0.0
    ) -> Record:
        asked = len(self.primary.visits) + len(self.spare.visits)
        rows = gateway.rows(f"fault-{self.name}-", asked)
        return Record(
            tuple(calls),
            tuple(map(_asked, self.primary.visits)),
            tuple(map(_asked, self.spare.visits)),
            rows,
            gateway.metrics(self.name, spare_of(self.name)),
            healthy_at,
        )


def spare_of(name: str) -> str:
    """Return the name of a scene's fallback."""
    return f"{name}-spare"


@contextmanager
def playing(house: House, records: Path) -> Iterator[None]:
    """Play all scenes meanwhile; each is written to the folder when it is over."""
    with ExitStack() as places:
        stages = {
            name: Stage(name, Place(scene.primary), Place(scene.spare))
            for name, scene in SCENES.items()
        }
        for stage in stages.values():
            places.callback(stage.close)
        gateway = places.enter_context(serving(house, _settings(stages)))
        player = threading.Thread(target=_play_all, args=(stages, gateway, records))
        player.start()
        places.callback(player.join)
        yield


def _settings(stages: Mapping[str, Stage]) -> str:
    urls, more = {}, {}
    for name, stage in stages.items():
        spare = spare_of(name)
        urls |= {name: stage.primary.url, spare: stage.spare.url}
        more |= dict(zip((name, spare), SCENES[name].deployments, strict=True))
    return settings_of(urls, {name: [spare_of(name)] for name in stages}, more)


def _play_all(stages: Mapping[str, Stage], gateway: Gateway, records: Path) -> None:
    threads = [
        threading.Thread(target=_play, args=(stage, gateway, records))
        for stage in stages.values()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    save(records / LOG, gateway.started.stderr)


def _play(stage: Stage, gateway: Gateway, records: Path) -> None:
    """Play one scene in a thread of its own; what goes wrong is written, too."""
    play: Callable[[Gateway], Record] = stage.play
    if stage.name == OUTAGE:
        play = stage.play_outage
    try:
        save(records / f"{stage.name}.json", asdict(play(gateway)))
    except Exception:
        save(records / f"{stage.name}.failed", traceback.format_exc())


def _asked(visit: Visit) -> Asked:
    last_role = visit.body["messages"][-1]["role"]
    return Asked(visit.asked_at, visit.seconds, visit.was_told, last_role)
