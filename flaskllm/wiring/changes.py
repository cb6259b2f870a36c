"""How processes notice that an API token was changed."""

from flaskllm.storage.changes import Changes
from flaskllm.storage.redis_changes import RedisChanges
from flaskllm.wiring.ground import Ground


def build_changes(ground: Ground) -> Changes | RedisChanges:
    """Return the counter, read from Redis where there is one; nothing is opened."""
    changes = Changes(ground.database)
    if ground.redis is None:
        return changes
    return RedisChanges(ground.redis, changes.read, ground.clock)
