"""gunicorn's own settings follow ours."""

import errno
import runpy
import signal
import sys
import threading
from queue import SimpleQueue
from types import SimpleNamespace

import pytest
from gunicorn.http import wsgi
from sealers import CURRENT, OTHER
from source_tree import ROOT

from flaskllm.api import context
from flaskllm.api.websocket_door import EXTENSION
from flaskllm.core.config import load, process_environment
from flaskllm.factory import create_app
from flaskllm.jobs import supervisor


@pytest.fixture(autouse=True)
def _signals_as_they_were():
    """A worker's hook catches SIGHUP; the next test has its own."""
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})


@pytest.fixture
def settings_of(tmp_path, monkeypatch):
    """Run gunicorn's settings file in an empty folder, with some variables."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(wsgi, "SERVER", wsgi.SERVER)

    def run(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "gunicorn.conf.py"))

    return run


@pytest.mark.parametrize(
    ("host", "bind"), [("0.0.0.0", "0.0.0.0:81"), ("::1", "[::1]:81")]
)
def test_it_binds_where_the_settings_say(settings_of, host, bind):
    found = settings_of(FLASKLLM_SERVER__HOST=host, FLASKLLM_SERVER__PORT="81")

    assert found["bind"] == bind


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EBADF])
def test_a_worker_without_descriptors_lives_on(settings_of, tmp_path, number):
    app = create_app(load({"FLASKLLM_JOBS__ENABLED": "false"}, tmp_path))
    told, log = [], SimpleNamespace(warning=lambda *words: told.append(words))

    def accept(_listener):
        raise OSError(number, "said so")

    worker = SimpleNamespace(wsgi=app, alive=True, accept=accept, log=log)
    settings_of()["post_worker_init"](worker)

    if number == errno.EMFILE:
        worker.accept(None)
        assert told == [("no_descriptors: %s", "said so")]
    else:
        with pytest.raises(OSError, match="said so"):
            worker.accept(None)


def test_websockets_learn_from_their_worker_that_it_stops(settings_of, tmp_path):
    app = create_app(load({"FLASKLLM_JOBS__ENABLED": "false"}, tmp_path))
    worker = SimpleNamespace(wsgi=app, alive=True)

    settings_of()["post_worker_init"](worker)

    door = app.extensions[EXTENSION]
    assert door.is_stopping() is False
    worker.alive = False
    assert door.is_stopping() is True


def test_processes_and_threads_are_those_of_the_settings(settings_of):
    found = settings_of(FLASKLLM_SERVER__WORKERS="3", FLASKLLM_SERVER__THREADS="5")

    assert (found["workers"], found["threads"]) == (3, 5)


def workers_told(tmp_path):
    return load(process_environment(), tmp_path).settings.server.workers


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([2], 2),
        ([4], 4),
        ([2, 3], 3),  # SIGTTIN
        ([1], 2),  # what the settings say holds: they may be counted together
        ([4, 1, 0], 4),  # those that are there still count together
        ([500], 64),  # more than a setting may say
    ],
)
def test_the_application_learns_how_many_workers_there_are(
    settings_of, tmp_path, numbers, told
):
    """`gunicorn --workers 4` goes over the settings."""
    tell = settings_of(FLASKLLM_SERVER__WORKERS="2")["nworkers_changed"]

    for number in numbers:
        tell(None, number, None)

    assert workers_told(tmp_path) == told


def test_a_number_that_is_the_settings_own_changes_no_variable(settings_of):
    settings_of()["nworkers_changed"](None, 1, None)

    assert "FLASKLLM_SERVER__WORKERS" not in process_environment()


def test_what_the_first_job_needs_is_loaded_when_a_worker_begins(settings_of):
    prepared = threading.Event()
    workflows = SimpleNamespace(is_enabled=True, prepare=prepared.set)

    settings_of()["post_worker_init"](SimpleNamespace(wsgi=app_of(workflows=workflows)))

    assert prepared.wait(10)


class Settings:
    """Notes in a queue what is asked of it."""

    def __init__(self):
        self.heard = SimpleQueue()

    def ask(self):
        self.heard.put("ask")

    def poll(self):
        self.heard.put("poll")


def app_of(settings=None, workflows=None):
    """Return an application with what the hook of a new worker looks at."""
    no_jobs = SimpleNamespace(is_enabled=False)
    services = SimpleNamespace(
        settings=settings or Settings(), workflows=workflows or no_jobs
    )
    return SimpleNamespace(
        extensions={EXTENSION: SimpleNamespace(), context.EXTENSION: services}
    )


def test_sighup_has_a_worker_read_its_settings_anew(settings_of):
    settings = Settings()
    hooks = settings_of()
    hooks["post_fork"](None, SimpleNamespace(has_good_files=True))
    signal.raise_signal(signal.SIGHUP)  # too early: it is kept, and ends nobody
    assert settings.heard.empty()

    hooks["post_worker_init"](SimpleNamespace(wsgi=app_of(settings), alive=True))

    heard = {settings.heard.get(timeout=10) for _ in range(3)}
    assert heard == {"ask", "poll"}


def test_sighup_to_the_master_is_passed_on_and_ends_no_worker(settings_of):
    sent = []
    master = SimpleNamespace(kill_workers=sent.append)

    settings_of()["when_ready"](master)
    master.handle_hup()

    assert sent == [signal.SIGHUP]


@pytest.mark.parametrize(
    ("started", "again"),
    [
        ("/x/gunicorn/__main__.py", [sys.executable, "-m", "gunicorn", "--bind", "b"]),
        ("/x/bin/gunicorn", ["as it was"]),
    ],
)
def test_sigusr2_starts_the_module_again_and_no_script_of_it(
    settings_of, monkeypatch, started, again
):
    monkeypatch.setattr(sys, "argv", [started, "--bind", "b"])
    master = SimpleNamespace(START_CTX={"args": ["as it was"]})

    settings_of()["pre_exec"](master)

    assert master.START_CTX["args"] == again


@pytest.mark.parametrize("has_one", [True, False])
def test_what_sigusr2_starts_keeps_a_worker_where_this_one_does(
    settings_of, monkeypatch, has_one
):
    monkeypatch.setattr(supervisor, "is_there", lambda: has_one)
    begun = []
    monkeypatch.setattr(supervisor, "start_supervisor", lambda: begun.append(True))
    hooks = settings_of()
    hooks["when_ready"](SimpleNamespace())

    hooks["pre_exec"](SimpleNamespace(START_CTX={}))

    assert len(begun) == has_one


def test_a_worker_that_starts_while_the_file_is_broken_has_the_last_good_one(
    settings_of, tmp_path
):
    hooks = settings_of()
    worker = SimpleNamespace(app=SimpleNamespace(callable=None))
    hooks["pre_fork"](None, worker)
    hooks["post_fork"](None, worker)
    assert worker.app.callable is None  # it loads what the file says

    (tmp_path / "flaskllm.yaml").write_text("nonsense: 1")
    hooks["pre_fork"](None, worker)
    hooks["post_fork"](None, worker)

    settings = settings_of_worker(worker)
    assert settings.settings_state() == "rejected"


def settings_of_worker(worker):
    return worker.app.callable.extensions[context.EXTENSION].settings


def begin(hooks):
    """Return a worker that was just forked."""
    worker = SimpleNamespace(app=SimpleNamespace(callable=None))
    hooks["pre_fork"](None, worker)
    hooks["post_fork"](None, worker)
    return worker


@pytest.fixture
def models_file(tmp_path):
    file = tmp_path / "flaskllm.yaml"
    file.write_text(
        "providers: {box: {kind: ollama}}\n"
        "deployments: {llama: {provider: box, model: m}}\n"
        "routes: [{alias: fast, deployments: {llama: 1}}]\n"
    )
    return file


def test_a_worker_that_starts_while_the_file_is_gone_has_the_last_one(
    settings_of, models_file
):
    hooks = settings_of()
    master = SimpleNamespace(kill_workers=lambda _: None)
    hooks["when_ready"](master)
    models_file.unlink()
    master.handle_hup()

    worker = begin(hooks)

    settings = settings_of_worker(worker)
    assert settings.settings_state() == "rejected"
    assert settings.catalog().aliases() == ("fast",)


def test_a_main_process_whose_folder_is_gone_goes_on(
    settings_of, models_file, tmp_path
):
    hooks = settings_of()
    worker = SimpleNamespace()
    models_file.unlink()
    tmp_path.rmdir()

    hooks["pre_fork"](None, worker)

    assert not worker.has_good_files


def test_the_start_goes_on_where_all_is_well_and_leaves_nothing_open(settings_of):
    hooks = settings_of(FLASKLLM_SECRET=CURRENT, FLASKLLM_JOBS__ENABLED="false")

    assert hooks["on_starting"](None) is None
    assert hooks["on_starting"](None) is None


def test_the_start_stops_with_one_line_where_the_secret_is_another(
    settings_of, monkeypatch
):
    monkeypatch.setenv("FLASKLLM_JOBS__ENABLED", "false")
    settings_of(FLASKLLM_SECRET=CURRENT)["on_starting"](None)
    hooks = settings_of(FLASKLLM_SECRET=OTHER)

    with pytest.raises(RuntimeError) as refused:
        hooks["on_starting"](None)

    assert str(refused.value).startswith("The master secret is not the one")
    assert "\n" not in str(refused.value)
