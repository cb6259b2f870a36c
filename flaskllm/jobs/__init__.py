"""Floor 4: the process that works on jobs, as the faces are those that accept them.

It imports DBOS, and only inside functions: whoever starts or watches a worker need
not pay for that.
"""
