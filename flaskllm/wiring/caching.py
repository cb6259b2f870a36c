"""The cache of answers: where it lies, and what asks it."""

from flaskllm.core.sensitive import Rules
from flaskllm.services.caching.answers import Answers
from flaskllm.services.caching.asking import Remembering
from flaskllm.services.caching.clearing import CacheClearing
from flaskllm.services.caching.flights import Flights
from flaskllm.services.caching.names import Names
from flaskllm.services.caching.others import Others
from flaskllm.services.caching.shelf import CacheStore, Shelf
from flaskllm.storage.api_tokens import ApiTokens
from flaskllm.storage.cache_clears import CacheClears
from flaskllm.storage.changes import CACHE, Changes
from flaskllm.storage.memory_cache import MemoryCache
from flaskllm.storage.redis_cache import RedisCache
from flaskllm.storage.sealing import ContentSealer
from flaskllm.storage.sql_cache import SqlCache
from flaskllm.wiring.ground import Ground, deadline_seconds, is_under_uwsgi
from flaskllm.wiring.limits import has_other_processes
from flaskllm.wiring.models import LiveModels


def build_store(ground: Ground) -> CacheStore:
    """Return where the settings want answers kept; nothing is opened."""
    told, clock = ground.settings.cache, ground.clock
    sealer, wanted = ContentSealer(ground.keys), told.store
    if ground.redis is not None and wanted == "auto":
        return RedisCache(ground.redis, sealer)
    if wanted == "memory" or (wanted == "auto" and not _has_others(ground)):
        return MemoryCache(clock, told.max_entries, told.max_bytes)
    return SqlCache(ground.database, sealer, clock, told.max_entries, told.max_bytes)


def build_remembering(ground: Ground, rules: Rules | None) -> Remembering:
    """Return what answers from what was answered before; nothing is opened."""
    metrics, clock, store = ground.metrics.cache, ground.clock, build_store(ground)
    shelf = Shelf(store, clock, metrics.count_failure)
    most = ground.settings.cache.max_answer_bytes
    flights = Flights(
        shelf,
        clock,
        threaded=ground.threaded,
        deadline_seconds=deadline_seconds(ground.settings),
    )
    answers = Answers(shelf, metrics, most, _others(ground, store))
    return Remembering(answers, flights, ground.keys, clock, rules)


def _others(ground: Ground, store: CacheStore) -> Others | None:
    """Return what heeds others: what lies here they can clear only by saying so."""
    if store.is_shared:
        return None
    read = Changes(ground.database, CACHE).read
    return Others(read, store.clear, ground.clock, threaded=ground.threaded)


def build_clearing(
    ground: Ground, remembering: Remembering, live: LiveModels
) -> CacheClearing:
    """Return what clears the cache."""
    clears, tokens = CacheClears(ground.database), ApiTokens(ground.database)
    names = Names(live.catalog, live.library, tokens)
    return CacheClearing(remembering.answers, clears, ground.clock, names)


def _has_others(ground: Ground) -> bool:
    return has_other_processes(ground.settings, ground.database, is_under_uwsgi())
