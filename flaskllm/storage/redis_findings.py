"""What processes found of deployments, told to each other through Redis."""

import json
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from flaskllm.core.findings import FORGOTTEN_SECONDS, KINDS, Finding, News
from flaskllm.storage.redis_store import RedisStore, key_of

if TYPE_CHECKING:
    from redis import Redis

# A hash of the last finding of each subject and kind, and a number that only grows,
# also when Redis has forgotten it: it starts with the time in microseconds, which is
# a text in JSON, where Redis writes fourteen digits. Other times are milliseconds.
_NOW = """
local told = redis.call('TIME')
local micros = tonumber(told[1]) * 1000000 + tonumber(told[2])
local now = math.floor(micros / 1000)
"""
_TELL = f"""{_NOW}
local kept_seconds = tonumber(ARGV[1])
local version = redis.call('INCR', KEYS[2])
if version == 1 then
  version = micros
  redis.call('SET', KEYS[2], string.format('%.0f', version))
end
for at = 2, #ARGV, 2 do
  local finding = cjson.decode(ARGV[at + 1])
  finding.version = string.format('%.0f', version)
  finding.told_at, finding.ends_at = now, 0
  if finding.left_ms then finding.ends_at = now + finding.left_ms end
  redis.call('HSET', KEYS[1], ARGV[at], cjson.encode(finding))
end
local held = redis.call('HGETALL', KEYS[1])
for at = 1, #held, 2 do
  if cjson.decode(held[at + 1]).told_at < now - kept_seconds * 1000 then
    redis.call('HDEL', KEYS[1], held[at])
  end
end
redis.call('EXPIRE', KEYS[1], kept_seconds)
redis.call('EXPIRE', KEYS[2], kept_seconds)
return version
"""
_READ = f"""{_NOW}
local seen = tonumber(ARGV[1])
local version = tonumber(redis.call('GET', KEYS[2]) or 0)
local answer = {{version, now}}
if version == seen then return answer end
if version < seen then seen = 0 end
local held = redis.call('HGETALL', KEYS[1])
for at = 2, #held, 2 do
  local version_of = tonumber(cjson.decode(held[at]).version)
  if version_of > seen then answer[#answer + 1] = held[at] end
end
return answer
"""
_ORDER = ("version", "subject", "kind")
_KEYS = (key_of("routing", "findings"), key_of("routing", "version"))


class RedisFindings:
    """Findings in Redis, by the time of Redis."""

    def __init__(self, store: RedisStore) -> None:
        """Keep the store; nothing is opened."""
        self._store = store

    def tell(self, findings: tuple[Finding, ...]) -> None:
        """Store each in the place of the one before of its subject and kind.

        Raises:
            ServiceUnavailable: Redis does not work; some may have been stored.
        """
        told: list[str | int] = [int(FORGOTTEN_SECONDS)]
        for each in findings:
            told += [f"{each.subject}:{each.kind}", json.dumps(_fields(each))]

        def ask(client: "Redis") -> Any:
            return client.register_script(_TELL)(_KEYS, told)

        self._store.run(ask)

    def read(self, seen: int) -> News:
        """Return what was told since this version; 0 is all that still matters.

        Where the present version is below it, Redis was emptied, and all is news.

        Raises:
            ServiceUnavailable: Redis does not work; a retry may help.
        """

        def ask(client: "Redis") -> Any:
            return client.register_script(_READ)(_KEYS, [seen])

        version, now_ms, *texts = self._store.run(ask)
        rows = sorted(map(json.loads, texts), key=itemgetter(*_ORDER))
        found = tuple(_finding(row, now_ms) for row in rows if row["kind"] in KINDS)
        return News(version, found)


def _fields(finding: Finding) -> dict[str, Any]:
    fields = {
        "subject": finding.subject,
        "kind": finding.kind,
        "code": finding.code,
        "times": finding.times,
        "told_by": finding.told_by,
    }
    if finding.left_seconds is not None:
        fields["left_ms"] = int(finding.left_seconds * 1000)
    return fields


def _finding(row: dict[str, Any], now_ms: int) -> Finding:
    left_seconds = None
    if row["ends_at"]:
        left_seconds = max(0.0, (row["ends_at"] - now_ms) / 1000)
    return Finding(
        row["subject"],
        row["kind"],
        left_seconds,
        row["code"],
        row["times"],
        row["told_by"],
    )
