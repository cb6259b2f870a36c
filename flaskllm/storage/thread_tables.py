"""The table of mail threads: what earlier mails of each are known to say."""

from sqlalchemy import Column, Integer, LargeBinary, String, Table

from flaskllm.storage.columns import Sealed, UtcDateTime
from flaskllm.storage.metadata import metadata

# The key is a keyed digest of the thread's first Message-ID and of what is made of its
# mails. `body` is JSON: facts, and prints of the sentences that were read. `version`
# grows with each mail: of two at once the second one reads again.
digest_threads = Table(
    "digest_threads",
    metadata,
    Column("principal_id", String(40), primary_key=True),
    Column("key_digest", LargeBinary(32), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("body", Sealed("digest_threads.body"), nullable=False),
)
