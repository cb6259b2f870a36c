"""The scenes of the sixteen faults are played once, whichever process judges them."""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fault_records import Record, save
from fault_scenes import BACK_WITHIN_SECONDS, DOWN_SECONDS
from fault_stage import LOG, playing
from processes import open_house

_PATIENCE_SECONDS = 60.0 + DOWN_SECONDS + BACK_WITHIN_SECONDS


@dataclass(frozen=True)
class Records:
    """What the scenes left, as soon as each is over."""

    folder: Path

    def of(self, scene: str) -> Record:
        """Return how this scene was."""
        return Record.load(self._wait_for(f"{scene}.json", f"{scene}.failed"))

    def log(self) -> str:
        """Return what the gateway logged, once all scenes are over."""
        return json.loads(self._wait_for(LOG).read_text())

    def _wait_for(self, name: str, failed: str = "") -> Path:
        give_up_at = time.monotonic() + _PATIENCE_SECONDS
        troubles = [self.folder / each for each in ("failed", failed) if each]
        while not (path := self.folder / name).exists():
            for trouble in troubles:
                if trouble.exists():
                    pytest.fail(json.loads(trouble.read_text()))
            assert time.monotonic() < give_up_at, f"{name} did not come"
            time.sleep(0.05)
        return path


@pytest.fixture(scope="module")
def records(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[Records]:
    """What the scenes left. The first process that asks plays them for all."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "faults"
    folder.mkdir(exist_ok=True)
    try:
        os.close(os.open(folder / "owner", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        yield Records(folder)
        return
    try:
        opened = open_house(tmp_path_factory.mktemp("house"))
        with opened as house, playing(house, folder):
            yield Records(folder)
    except BaseException as error:
        save(folder / "failed", f"the scenes did not begin: {error!r}")
        raise


@pytest.fixture
def record_of(
    records: Records, request: pytest.FixtureRequest
) -> Callable[[str], Record]:
    """What gives a scene's record; should the test fail, its story is shown."""

    def find(scene: str) -> Record:
        record = records.of(scene)
        request.node.add_report_section("call", f"scene {scene}", record.story())
        return record

    return find
