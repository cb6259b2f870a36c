"""A changed settings file is taken up while running; a bad one changes nothing."""

import os

import pytest
from api_tokens import make_token
from fakes import FakeClock, chat
from processes import post

from flaskllm.core.auth import Scope
from flaskllm.core.config import load_from_process
from flaskllm.factory import create_app
from flaskllm.wiring import build_services

PROMPT = b"Please call Ben on Friday."
SETTINGS = """
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  small: {{provider: box, model: scripted-1}}
routes:
  - {{alias: {alias}, deployments: {{small: 1}}}}
"""
BROKEN = {
    "unreadable": "routes: [",
    "unknown key": "routs: []\n",
    "wrong value": "server: {port: many}\n",
    "unknown provider": "deployments: {small: {provider: nobody, model: x}}\n",
    "missing variable": "providers: {box: {kind: openai, api_key: '${NOT_THERE}'}}\n",
    "missing templates": "templates_dir: /nowhere/at/all\n",
    "binary": "\x00\x01\x02",
}


class Reloading:
    """A gateway in a folder of its own, under a clock that the test moves."""

    def __init__(self, folder):
        self.file = folder / "flaskllm.yaml"
        self.clock = FakeClock()

    def start(self):
        loaded = load_from_process()
        self.services = build_services(loaded, self.clock)
        self.client = create_app(loaded, self.services).test_client()
        self.token = make_token(self.services.api_tokens, Scope.WEBHOOK).text

    def write(self, text):
        """Put new settings in place, and let the two looks pass that agree on them."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(text)
        fresh.rename(self.file)
        for _ in range(3):
            self.clock.advance(1.5)
            self.ask("nobody")

    def ask(self, model):
        return self.client.post(
            "/api/v1/webhook",
            query_string={"type": "keywords", "model": model},
            data=PROMPT,
            content_type="text/plain",
            headers={"Authorization": f"Bearer {self.token}"},
        )


@pytest.fixture
def events(caplog):
    """Return the fields of all events of a name that were logged so far."""
    caplog.set_level("INFO")

    def read(name):
        return [r.fields for r in caplog.records if r.getMessage() == name]

    return read


@pytest.fixture
def running(tmp_path, monkeypatch, upstream):
    for name in [name for name in os.environ if name.startswith("FLASKLLM_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    upstream.always(chat('{"keywords": ["call"]}'))
    gateway = Reloading(tmp_path)
    gateway.file.write_text(SETTINGS.format(url=upstream.url, alias="old"))
    gateway.start()
    yield gateway
    gateway.services.database.close()


def test_a_changed_file_is_taken_up(running, upstream, events):
    assert running.ask("old").status_code == 200
    assert running.ask("fresh").status_code == 400

    running.write(SETTINGS.format(url=upstream.url, alias="fresh"))

    assert running.ask("fresh").status_code == 200
    assert running.ask("old").status_code == 400
    assert len(events("settings_reloaded")) == 1


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_keeps_the_old_snapshot_and_is_told_once(
    running, upstream, events, text
):
    running.write(text)
    running.write(text)

    assert running.ask("old").status_code == 200
    assert len(events("settings_rejected")) == 1
    assert events("settings_reloaded") == []


def test_a_mended_file_is_taken_up_after_a_broken_one(running, upstream, events):
    running.write(BROKEN["unknown key"])
    running.write(SETTINGS.format(url=upstream.url, alias="fresh"))

    assert running.ask("fresh").status_code == 200
    (rejected,) = events("settings_rejected")
    assert "routs" in rejected["problems"]


def test_a_file_that_was_removed_changes_nothing(running, events):
    running.file.unlink()
    for _ in range(3):
        running.clock.advance(1.5)
        running.ask("old")

    assert running.ask("old").status_code == 200
    assert len(events("settings_rejected")) == 1


def test_a_request_that_runs_keeps_its_snapshot(running, upstream):
    """The file changes between the answer that must be mended and its repair."""

    def change_then_answer(exchange):
        running.file.write_text(SETTINGS.format(url=upstream.url, alias="fresh"))
        running.clock.advance(1.5)
        chat("no JSON at all")(exchange)

    upstream.script(change_then_answer)

    assert running.ask("old").status_code == 200
    assert len(upstream.requests) == 2


def test_a_secret_in_a_rejected_file_is_not_logged(running, caplog):
    running.write("providers: {box: {kind: nonsense, api_key: sk-canary-0123456789}}\n")

    assert "sk-canary" not in caplog.text


def test_a_real_server_takes_up_the_file_and_refuses_a_broken_one(house, upstream):
    upstream.always(chat('{"keywords": ["call"]}'))
    house.write_settings(SETTINGS.format(url=upstream.url, alias="old"))
    token = house.make_token()
    started, url = house.serve()

    def ask(model):
        return post(url, token, PROMPT, "text/plain", type="keywords", model=model)

    assert ask("old").status_code == 200
    house.write_settings(SETTINGS.format(url=upstream.url, alias="fresh"))
    started.wait_for(lambda: ask("fresh").status_code == 200)
    house.write_settings(BROKEN["unknown key"])
    started.wait_for(lambda: ask("fresh") and started.events("settings_rejected"))

    assert ask("fresh").status_code == 200
    (rejected,) = started.events("settings_rejected")
    assert rejected["level"] == "ERROR"
    assert "routs" in rejected["problems"]
