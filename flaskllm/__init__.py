"""flaskllm: a self-hosted LLM gateway on Flask."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flaskllm.factory import create_app as create_app

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import the application factory only when it is asked for.

    The command line and the worker need no web server, so importing the
    package must not import Flask.
    """
    if name == "create_app":
        from flaskllm.factory import create_app

        return create_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
