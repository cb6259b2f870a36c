"""Whether a server may start: what stops it now would stop every request."""

import logging

from flaskllm.core import logs
from flaskllm.core.clock import Clock, SystemClock
from flaskllm.core.config import Settings
from flaskllm.core.errors import APIError
from flaskllm.storage.database import Database
from flaskllm.storage.workflows import Workflows
from flaskllm.wiring import build_database
from flaskllm.wiring.inbound_doubts import (
    doubtful_models,
    doubtful_payers,
    malformed_payers,
)
from flaskllm.wiring.secrets import build_key_ring

_log = logging.getLogger(__name__)


def find_refusal(settings: Settings, clock: Clock | None = None) -> str | None:
    """Bring the database up to date; return why the server must not start, if so.

    What may pass by itself, such as a database that does not answer yet, is no
    reason. Afterwards nothing is open: the processes that serve are forked then, and
    share what was imported here. Where jobs are on, that is DBOS too.
    """
    keys = build_key_ring(settings)
    database = build_database(settings, clock or SystemClock(), keys)
    try:
        database.upgrade()
        _upgrade_workflows(Workflows(database, enabled=settings.jobs.enabled))
        _tell_doubts(settings, database, clock or SystemClock())
    except APIError as error:
        if error.retry_after_seconds is None:
            return " ".join(filter(None, (error.message, error.details)))
    finally:
        database.close()
    return None


def _tell_doubts(settings: Settings, database: Database, clock: Clock) -> None:
    """Log each inbound endpoint of the settings that can make nothing of what comes."""
    doubts = (
        *doubtful_models(settings),
        *malformed_payers(settings),
        *doubtful_payers(settings, database, clock),
    )
    for doubt in doubts:
        logs.event(
            _log,
            logging.WARNING,
            "inbound_doubtful",
            setting=doubt.path,
            found=doubt.found,
            allowed=doubt.allowed,
        )


def _upgrade_workflows(workflows: Workflows) -> None:
    """Bring the tables of workflows up to date, or let the first job try again.

    Without them all else works, so a failure stops nothing.
    """
    if not workflows.is_enabled:
        return
    try:
        workflows.upgrade()
    except APIError as error:
        logs.event(
            _log,
            logging.WARNING,
            "workflows_not_upgraded",
            code=error.code,
            reason=error.details,
        )
    finally:
        workflows.close()
