"""What becomes of jobs that nobody ends, and of those that nobody needs any more."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from flaskllm.core import logs
from flaskllm.services.jobs.reports import error_json, not_in_time
from flaskllm.storage.job_endings import End, JobEndings
from flaskllm.storage.job_expiry import JobExpiry
from flaskllm.storage.sealing import ContentUnavailable

_MOST_AT_ONCE: Final = 100
# A turn ends, however much there is: where there are no threads a request waits.
_MOST_BATCHES: Final = 50
# A run that is still at it so long after the deadline has died.
_MARGIN: Final = timedelta(seconds=60)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobKeeping:
    """Gives up what is overdue, and removes what has expired."""

    endings: JobEndings
    expiry: JobExpiry

    def keep(self) -> int:
        """Give up what is overdue and remove what has expired; return how many.

        At most 5,000 of each: the rest waits for the next turn.

        Raises:
            ServiceUnavailable: Some may be left; a retry may help.
        """
        return self.give_up_overdue() + self.forget_expired()

    def give_up_overdue(self) -> int:
        """End jobs that nobody has ended a minute after their deadlines.

        Raises:
            ServiceUnavailable: Some may be left; a retry may help.
        """
        error = not_in_time()
        end = End("dead", error=error_json(error), error_code=error.code)
        total, after = 0, ""
        for _ in range(_MOST_BATCHES):
            ids = self.expiry.overdue(_MARGIN, _MOST_AT_ONCE, after)
            total += sum(self._give_up(each, end) for each in ids)
            if len(ids) < _MOST_AT_ONCE:
                break
            after = ids[-1]  # those that cannot be ended stand in nobody's way
        return total

    def forget_expired(self) -> int:
        """Remove expired jobs with their documents, steps and workflows.

        Raises:
            ServiceUnavailable: Some may be removed; a retry may help.
        """
        total = 0
        for _ in range(_MOST_BATCHES):
            removed = self.expiry.remove(_MOST_AT_ONCE)
            total += removed
            if removed < _MOST_AT_ONCE:
                break
        return total

    def _give_up(self, job_id: str, end: End) -> bool:
        try:
            return self.endings.give_up(job_id, end)
        except ContentUnavailable as error:  # the others are still to be ended
            logs.event(
                _log,
                logging.ERROR,
                "job_not_given_up",
                error=None,
                job_id=job_id,
                reason=error.details,
            )
            return False
