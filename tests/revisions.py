"""Databases as older versions of the program have left them."""

import sqlite3
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, make_url

from flaskllm.storage.postgres import DRIVER


def make_at(url: str, revision: str) -> None:
    """Bring an empty database to this revision, without anything of ours."""
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername=DRIVER)
    engine = create_engine(parsed)
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "flaskllm.storage:migrations")
        command.upgrade(config, revision)
    engine.dispose()


def copies_of(path: Path, folder: Path) -> dict[str, bytes]:
    """Return the bytes of a database file, what lies beside it, and a backup."""
    found = {each.name: each.read_bytes() for each in path.parent.glob(f"{path.name}*")}
    target = folder / "backup"
    with (
        closing(sqlite3.connect(path)) as source,
        closing(sqlite3.connect(target)) as backup,
    ):
        source.backup(backup)
    return found | {"backup": target.read_bytes()}
