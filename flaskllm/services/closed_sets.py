"""The closed sets of durable work, for the faces; each is defined once, in storage."""

from flaskllm.storage.job_rows import (
    DeliveryState,
    EndpointState,
    JobKind,
    JobState,
    Rendering,
)

__all__ = ["DeliveryState", "EndpointState", "JobKind", "JobState", "Rendering"]
