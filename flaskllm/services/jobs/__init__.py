"""Jobs: work that is accepted now and done later, by a worker, once."""
