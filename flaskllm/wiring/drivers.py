"""Whether what the database needs is installed, asked before anything is opened."""

from collections.abc import Iterator

from flaskllm.core.config import Problem, Settings
from flaskllm.core.config_databases import is_postgres
from flaskllm.storage.postgres import is_driver_installed


def check_driver(settings: Settings) -> Iterator[Problem]:
    """Yield what is missing to use the database that the settings name."""
    if is_postgres(settings.database_url) and not is_driver_installed():
        found = "an address of PostgreSQL, and psycopg is not installed"
        yield Problem("database_url", found, "pip install 'psycopg[binary]'")
