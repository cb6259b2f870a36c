"""Master secrets for tests, and what seals under them; no folder is touched."""

from pathlib import Path

from flaskllm.core.secrets import KeyRing
from flaskllm.storage.sealing import ContentSealer

CURRENT = "k3R9vQ2mX7bT5wL8nZ4cH6jD1sF0gYpA"
PREVIOUS = "u8Wn2LxZ5tKq0RvB7yHc4MdJ9sGf3PeA"
OTHER = "b1Tz6YcN9oVh4XqS2rKm8UwD5jLf7EaG"


def key_ring(current: str = CURRENT, previous: str | None = None) -> KeyRing:
    """Return the keys of these secrets."""
    nowhere = Path("never-looked-at")
    return KeyRing(current, nowhere, previous=previous, when_missing="make_in_memory")


def content_sealer(
    current: str = CURRENT, previous: str | None = None
) -> ContentSealer:
    """Return what seals under the current secret, and opens under both."""
    return ContentSealer(key_ring(current, previous))
