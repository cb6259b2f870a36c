"""What digests are made with."""

from datetime import timedelta

from flaskllm.services.completions import Completions
from flaskllm.services.digests.pipeline import Digests
from flaskllm.services.digests.threads import Threads
from flaskllm.services.privacy import Privacy
from flaskllm.storage.threads import ThreadRows
from flaskllm.wiring.ground import Ground
from flaskllm.wiring.models import LiveModels


def build_digests(
    ground: Ground,
    live: LiveModels,
    completions: Completions,
    privacy: Privacy,
    threads: Threads,
) -> Digests:
    """Return what makes digests, by the templates of the settings as they stand."""
    told = ground.settings.digests
    at_once = told.parallel_calls if ground.threaded else 1
    most, clock = told.most_inline_calls, ground.clock
    return Digests(completions, live.library, clock, at_once, most, privacy, threads)


def build_threads(ground: Ground) -> Threads:
    """Return what remembers threads of mail; nothing is opened."""
    keep_for = timedelta(days=ground.settings.digests.thread_days)
    return Threads(ThreadRows(ground.database, ground.clock), ground.keys, keep_for)
