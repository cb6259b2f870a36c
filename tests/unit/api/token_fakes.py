"""API tokens and an audit for the faces, on a database in memory."""

import tempfile
from pathlib import Path

from api_tokens import TokenWorld
from face_fakes import FakeTokens
from fakes import FakeClock

from flaskllm.storage.database import Database


class KeptTokens(FakeTokens):
    """Knows the callers of `FakeTokens`; all else is done by the real service."""

    def __init__(self):
        super().__init__()
        clock = FakeClock()
        database = Database("sqlite://", journal="wal", clock=clock)
        self._world = TokenWorld(database, Path(tempfile.gettempdir()), clock=clock)

    def __getattr__(self, name):
        return getattr(self._world.service, name)
