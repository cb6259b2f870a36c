"""gunicorn's settings; plain `gunicorn wsgi:application` finds them here too.

Threads, not processes: a request waits for a model nearly all its life. Long
answers do not trip `timeout` under gthread; deadlines are the gateway's own.
"""

import gc
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.http import wsgi

from flaskllm.core import logs
from flaskllm.core.config import load_from_process
from flaskllm.wiring import secrets_of

_settings = load_from_process().settings

bind = _settings.server.bind
worker_class = "gthread"
workers = _settings.server.workers
threads = _settings.server.threads
# Near `threads`: with the default of 1000 a busy worker takes connections that an
# idle one could serve.
worker_connections = threads + 4
keepalive = 75  # longer than the idle time-out of the usual load balancers
timeout = 60  # a dead main loop only
graceful_timeout = 60
forwarded_allow_ips = "127.0.0.1,::1"
header_map = "drop"
control_socket_disable = True
# gunicorn has no setting for it: the Server header shall not name the software.
wsgi.SERVER = ""
logconfig_dict = logs.dict_config(
    _settings.log_level,
    _settings.log_format,
    _settings.log_file,
    logs.Redactor(secrets_of(_settings)),
)


class logger_class(Logger):  # noqa: N801  # gunicorn's name for the setting
    """gunicorn's own lines, without the one for each request."""

    def access(self, *_: Any) -> None:
        """Write nothing: ours is there, and to prepare this one costs its time."""


def post_worker_init(worker: Any) -> None:
    """Let WebSockets close when their worker is to stop, and not hold it up."""
    from flaskllm.api.websocket_door import end_with

    end_with(worker.wsgi, lambda: not worker.alive)
    # What is there now stays: the collector would stop all threads to look at it.
    gc.freeze()
    # And it need not look for new garbage several times in every hundred requests.
    gc.set_threshold(10_000)
