"""What processes share of routing: limits of upstreams, and how deployments stand."""

from flaskllm.core.config import Settings
from flaskllm.core.secrets import Purpose
from flaskllm.llm.health import Health
from flaskllm.services.routing_news import NewsStore, RoutingNews
from flaskllm.services.routing_state import ProcessName, RoutingState
from flaskllm.services.upstream_counting import (
    PATIENCE_SECONDS,
    CountStore,
    UpstreamCounting,
)
from flaskllm.storage.database import Database
from flaskllm.storage.redis_findings import RedisFindings
from flaskllm.storage.redis_upstream_counts import RedisUpstreamCounts
from flaskllm.storage.routing_findings import SqlFindings
from flaskllm.storage.upstream_counts import SqlUpstreamCounts
from flaskllm.wiring.ground import Ground, deadline_seconds, is_under_uwsgi
from flaskllm.wiring.limits import is_counted_together


def share_routing(ground: Ground, health: Health) -> RoutingState | None:
    """Let the health of this process be that of all; None where it is alone.

    Nothing is opened.
    """
    stores = _stores(ground)
    if stores is None:
        return None
    counts, findings = stores
    own_name = ProcessName()
    state = RoutingState(
        UpstreamCounting(
            counts,
            ground.clock,
            ground.metrics.stores.count_alone,
            threaded=ground.threaded,
        ),
        RoutingNews(
            findings, health.hear, ground.clock, own_name, threaded=ground.threaded
        ),
        own_name,
        lambda: ground.keys.key(Purpose.ROUTING),
        deadline_seconds(ground.settings),
    )
    health.share(state)
    return state


def _stores(ground: Ground) -> tuple[CountStore, NewsStore] | None:
    database, clock = ground.database, ground.clock
    if ground.redis is not None and ground.settings.limits.store == "auto":
        return RedisUpstreamCounts(ground.redis), RedisFindings(ground.redis)
    if not _is_shared(ground.settings, database, is_under_uwsgi()):
        return None
    return (
        SqlUpstreamCounts(database, clock, PATIENCE_SECONDS),
        SqlFindings(database, clock, PATIENCE_SECONDS),
    )


def _is_shared(settings: Settings, database: Database, under_uwsgi: bool) -> bool:
    """Tell whether other processes may ask the same upstreams.

    Beside those that count limits of API tokens it is a worker that does jobs.
    """
    if is_counted_together(settings, database, under_uwsgi):
        return True
    is_settled = settings.limits.store != "auto"
    return settings.jobs.enabled and database.is_lasting and not is_settled
