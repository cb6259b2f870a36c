"""gunicorn's settings; plain `gunicorn wsgi:application` finds them here too.

Threads, not processes: a request waits for a model nearly all its life. Long
answers do not trip `timeout` under gthread; deadlines are the gateway's own.
"""

import errno
import gc
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.http import wsgi

from flaskllm.core import logs
from flaskllm.core.config import load_from_process, tell_workers
from flaskllm.jobs.supervisor import (
    is_there,
    start_supervisor,
    tell_to_end,
    wait_for_end,
)
from flaskllm.wiring import secrets_of
from flaskllm.wiring.checks import find_usable
from flaskllm.wiring.start import find_refusal

_MEMORY_DISK = "/dev/shm"
# What the system says when there is no descriptor, or no memory for one.
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_EXHAUSTED_SECONDS = 0.1

_started_with = load_from_process()
_settings = _started_with.settings
# The last settings that the main process found good: for a worker that starts anew.
_kept = {"settings": _started_with}
# Whether the main process has a worker on jobs beside it.
_keeps = {"worker": False}

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
# A worker's sign of life is a file: on a disk it could wait, or be refused.
worker_tmp_dir = _MEMORY_DISK if os.access(_MEMORY_DISK, os.W_OK) else None
try:
    tempfile.gettempdir()
except FileNotFoundError:  # the whole disk is read-only
    tempfile.tempdir = worker_tmp_dir
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


def nworkers_changed(_server: Any, number: int, _before: int | None) -> None:
    """Tell the application when there are more workers than the settings say.

    `gunicorn --workers 4` goes over the settings, and what the workers have to count
    together they would count each for itself. It is called before any of them, or
    the application, is there; and for `SIGTTIN`, whose worker hears of it and those
    that come later.
    """
    if number > _settings.server.workers:
        tell_workers(number)


def on_starting(_server: Any) -> None:
    """Stop the start with one line where nothing could be done without the operator.

    That is a schema which is newer than this program, a master secret which is not
    the database's, a file that is damaged. What passes does not stop it.

    Raises:
        RuntimeError: gunicorn shows it and ends with status 1.
    """
    refusal = find_refusal(_settings)
    if refusal:
        raise RuntimeError(refusal)


def when_ready(server: Any) -> None:
    """Let SIGHUP have every worker take up changed settings, in place.

    gunicorn would put new workers in their place, which know nothing yet of the
    upstreams' health, and end the streams of the old ones after the grace.
    """

    def handle_hup() -> None:
        _keep_usable()
        server.kill_workers(signal.SIGHUP)

    server.handle_hup = handle_hup
    server.handle_term = lambda: _handle_term(server)
    _keeps["worker"] = is_there()
    if _keeps["worker"]:
        server.manage_workers = lambda: _manage_workers(server)


def _manage_workers(server: Any) -> None:
    """Keep what keeps the worker on jobs, too; gunicorn asks at least every second."""
    if not is_there():
        start_supervisor()
    type(server).manage_workers(server)


def _handle_term(server: Any) -> None:
    # A worker on jobs has as long as the requests have: both end at the same time.
    tell_to_end()
    type(server).handle_term(server)


def on_exit(_server: Any) -> None:
    """Let a worker on jobs that ran beside this server end in good order."""
    tell_to_end()
    wait_for_end()


def pre_exec(server: Any) -> None:
    """Make SIGUSR2 start the same once more: this process is about to become that.

    gunicorn would run its own `__main__.py` as a script. A script's folder is looked
    through first, and that one has an `http` which hides Python's own. And a main
    process that had a worker on jobs beside it is followed by one that has.
    """
    if Path(sys.argv[0]).name == "__main__.py":
        again = [sys.executable, "-m", "gunicorn", *sys.argv[1:]]
        server.START_CTX["args"] = again
    if _keeps["worker"]:
        start_supervisor()


def pre_fork(_server: Any, worker: Any) -> None:
    """Look, in the main process, whether the worker can begin with what the files say.

    Where they are no good just now, the others go on with what they have; so this
    one gets what was good last, and does not end the whole server.
    """
    worker.has_good_files = _keep_usable()


def post_fork(_server: Any, worker: Any) -> None:
    """Hold SIGHUP back until the worker can hear it: until then it would end it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    if not worker.has_good_files:
        from flaskllm.api import context
        from flaskllm.factory import create_app

        worker.app.callable = create_app(_kept["settings"])
        # It looks at the files again, and tells what is wrong with them.
        worker.app.callable.extensions[context.EXTENSION].settings.ask()


def _keep_usable() -> bool:
    """Remember the settings that the files hold; tell whether those can be used.

    Without the file that there was they cannot.
    """
    try:
        usable = find_usable()
    except OSError:  # the working folder is gone; what goes on here ends the server
        return False
    if usable is None or (_kept["settings"].file and not usable.file):
        return False
    _kept["settings"] = usable
    return True


def _accept_patiently(worker: Any) -> None:
    """Let the worker live on when it has no descriptor for one more connection.

    It would end, with all its requests. Who wants to connect waits in the kernel's
    line until somebody else has left.
    """
    accept = getattr(worker, "accept", None)
    if accept is None:  # a kind of worker that has its own way
        return

    def accept_or_wait(listener: Any) -> None:
        try:
            accept(listener)
        except OSError as error:
            if error.errno not in _EXHAUSTED:
                raise
            worker.log.warning("no_descriptors: %s", error.strerror)
            time.sleep(_EXHAUSTED_SECONDS)

    worker.accept = accept_or_wait


def post_worker_init(worker: Any) -> None:
    """Look after the settings; let WebSockets close when the worker is to stop.

    What the first job needs is made ready meanwhile.
    """
    from flaskllm.api import context
    from flaskllm.api.websocket_door import end_with
    from flaskllm.services.jobs.warming import warm_up
    from flaskllm.services.settings import LookOut

    _accept_patiently(worker)
    end_with(worker.wsgi, lambda: not worker.alive)
    services = worker.wsgi.extensions[context.EXTENSION]
    look_out = LookOut(services.settings)
    look_out.start()
    signal.signal(signal.SIGHUP, lambda _number, _frame: look_out.ask())
    signal.siginterrupt(signal.SIGHUP, False)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
    warm_up(services.workflows)
    # What is there now stays: the collector would stop all threads to look at it.
    gc.freeze()
    # And it need not look for new garbage several times in every hundred requests.
    gc.set_threshold(10_000)
