"""The table of what comes in: who delivers, and what is made of it."""

from sqlalchemy import Column, String, Table

from flaskllm.storage.columns import Sealed, UtcDateTime
from flaskllm.storage.metadata import metadata

# Those of the settings file are not here. `terms` is JSON: secrets, credentials, what
# is ordered and where it is told.
inbound_endpoints = Table(
    "inbound_endpoints",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("principal_id", String(40), nullable=False),
    Column("name", String(100), nullable=False),
    Column("sender", String(20), nullable=False),
    Column("state", String(10), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("terms", Sealed("inbound_endpoints.terms"), nullable=False),
)
