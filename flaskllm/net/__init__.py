"""Floor 1½: the one HTTP client, and which addresses it may call."""
