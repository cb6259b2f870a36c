"""Documents into digests: facts with quotes, verified, then prose."""
