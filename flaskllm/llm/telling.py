"""Which error a request ends with: the one that tells its caller most."""

from collections.abc import Sequence

from flaskllm.core.errors import APIError, LLMTimeout, NoModelConfigured
from flaskllm.llm.history import History
from flaskllm.llm.obstacles import error_of


def telling(errors: Sequence[APIError]) -> APIError:
    """Return the error that tells the caller most, from oldest to newest.

    The last after which the same request may succeed later, else the last. That
    only the built-in provider is left is no news after a model has failed.
    """
    heard = [e for e in errors if not isinstance(e, NoModelConfigured)] or errors
    hopeful = [error for error in heard if error.retryable]
    return (hopeful or heard)[-1]


def out_of_time(history: History) -> APIError:
    """Return the error of a request whose deadline passed: a time-out that says why."""
    error = telling(errors_of(history))
    if isinstance(error, LLMTimeout):
        return error
    return LLMTimeout(
        details=f"The deadline passed after attempt {len(history.failures)}; "
        f"what went wrong: {error.code}.",
    )


def errors_of(history: History) -> tuple[APIError, ...]:
    """Return what stood in the way, oldest first; never empty.

    That a deployment may not be asked is older news than that an attempt failed.
    """
    blocked = {
        name: obstacle
        for name in history.untried
        if (obstacle := history.options[name].obstacle)
    }
    return (
        *history.objections,
        *((error_of(blocked),) if blocked else ()),
        *(failure.error for failure in history.failures),
    )
