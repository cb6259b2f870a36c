"""The Redis of the settings, where there is one."""

from flaskllm.core.clock import Clock
from flaskllm.core.config import Settings
from flaskllm.core.metrics import Metrics
from flaskllm.storage.redis_store import RedisStore
from flaskllm.wiring.secrets import reveal


def build_redis(
    settings: Settings, clock: Clock, metrics: Metrics
) -> RedisStore | None:
    """Return the Redis of the settings, not yet connected; None where there is none."""
    url = reveal(settings.redis_url)
    return None if url is None else RedisStore(url, clock, metrics.stores)
