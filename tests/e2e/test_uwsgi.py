"""Under uWSGI without threads, as on PythonAnywhere: it works, and in time."""

import os
import signal
import sqlite3
import time

import pytest
import requests
import uwsgi_host
from fakes import chat, drip, hang
from processes import CHECKOUT, FLASKLLM, SCRIPTED, bearer, open_house, post

MAIL = b"""From: Ada Quist <ada@example.com>
To: Ben Ito <ben@example.org>
Subject: Invoice 4711
Date: Mon, 05 Oct 2026 09:00:00 +0200
Message-ID: <1@mail.example>
Content-Type: text/plain; charset=utf-8

Hello Ben,

please pay the invoice by Friday, 9 October.

Ada
"""
MEETING = b"""WEBVTT

00:00:01.000 --> 00:00:04.000
Maria Lopez: I will send the forecast to everyone by Friday.
"""
PROBE = """
import json

from flaskllm.core.config import load_from_process
from flaskllm.wiring import build_services

deadline_seconds = build_services(load_from_process()).deadline_seconds


def application(environ, start_response):
    told = {
        "deadline_seconds": deadline_seconds,
        "threads": environ["wsgi.multithread"],
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]
"""
STRONG = "k3R9vQ2mX7bT5wL8nZ4cH6jD1sF0gYpA"
FOLDER = CHECKOUT / "pythonanywhere"
KEYWORDS = chat('{"keywords": ["invoice"]}')
SHORT = "timeouts: {deadline_seconds: 1.5}\n"

pytestmark = pytest.mark.usefixtures("uwsgi_venv")


def test_a_mail_and_a_transcript_become_digests(house):
    token = house.make_token()
    _, url = uwsgi_host.serve_uwsgi(house)

    mail = post(url, token, MAIL, "message/rfc822", type="action_items")
    meeting = post(url, token, MEETING, "text/vtt", type="action_items")

    assert mail.status_code == meeting.status_code == 200
    for answer in (mail, meeting):
        (item,) = answer.json()["data"]["digest"]["action_items"]
        assert item["evidence"]["verified"] is True
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert mail.json()["meta"]["request_id"] == mail.headers["X-Request-ID"]


def test_the_database_has_no_write_ahead_log(house):
    """The same folder on a local disk has one under gunicorn; uWSGI's has not."""
    _, url = uwsgi_host.serve_uwsgi(house, FLASKLLM_API_TOKEN=STRONG)

    path = house.data / "flaskllm.db"
    with sqlite3.connect(path) as connection:
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    connection.close()
    assert mode != "wal"
    assert not path.with_name("flaskllm.db-wal").exists()
    assert requests.get(f"{url}/api/v1/health/ready").status_code == 200


def test_a_database_that_has_one_loses_it_under_uwsgi(house):
    token = house.make_token()
    path = house.data / "flaskllm.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = wal")
    connection.close()

    _, url = uwsgi_host.serve_uwsgi(house)

    assert post(url, token, MAIL, "message/rfc822").status_code == 200
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() != ("wal",)
    connection.close()


def test_a_model_is_asked_and_its_use_is_written_down(house, upstream):
    upstream.always(KEYWORDS)
    house.write_settings(SCRIPTED.format(url=upstream.url))
    token = house.make_token()
    started, url = uwsgi_host.serve_uwsgi(house)

    answer = ask(url, token)

    assert answer.json()["data"]["digest"]["keywords"] == ["invoice"]
    assert answer.json()["meta"]["degraded"] is False
    with sqlite3.connect(house.data / "flaskllm.db") as connection:
        rows = connection.execute("SELECT request_id, outcome FROM usage").fetchall()
    connection.close()
    assert rows == [(answer.headers["X-Request-ID"], "OK")]
    assert [line["code"] for line in started.events("attempt_ended")] == ["OK"]


@pytest.fixture
def impatient(house, upstream):
    """A warm server that gives its upstream 1.5 seconds: process, address, token."""
    house.write_settings(SCRIPTED.format(url=upstream.url) + SHORT)
    token = house.make_token()
    started, url = uwsgi_host.serve_uwsgi(house)
    upstream.always(KEYWORDS)
    started.wait_for(lambda: ask(url, token).ok)
    return started, url, token


def ask(url, token):
    return post(url, token, MAIL, "message/rfc822", type="keywords")


def test_a_hanging_upstream_is_a_504_in_time_and_the_worker_lives_on(
    impatient, upstream
):
    started, url, token = impatient
    (worker,) = started.workers()
    upstream.script(hang())

    began = time.monotonic()
    late = ask(url, token)
    seconds = time.monotonic() - began

    assert late.status_code == 504
    assert late.json()["code"] == "LLM_TIMEOUT"
    assert int(late.headers["Retry-After"]) >= 1
    assert 1.4 < seconds < 5
    assert upstream.wait_for_hang_up()
    assert ask(url, token).status_code == 200
    assert started.workers() == [worker]


def test_a_dripping_upstream_is_a_504_in_time(impatient, upstream):
    _, url, token = impatient
    upstream.script(drip(KEYWORDS.wire(), every_seconds=0.1))

    late = ask(url, token)

    assert late.status_code == 504
    assert upstream.wait_for_hang_up()
    assert ask(url, token).status_code == 200


def test_a_worker_that_is_killed_comes_back(house):
    token = house.make_token()
    started, url = uwsgi_host.serve_uwsgi(house)
    (worker,) = started.workers()

    os.kill(worker, signal.SIGKILL)
    started.wait_for(lambda: started.workers() not in ([], [worker]))

    assert post(url, token, MAIL, "message/rfc822").status_code == 200


def test_the_default_deadline_ends_before_the_host_would(house):
    """The host ends a request after 300 seconds; ours is 30 seconds before that."""
    (house.folder / "probe.py").write_text(PROBE)
    _, url = uwsgi_host.serve_uwsgi(house, ["--module", "probe"])

    assert requests.get(url).json() == {"deadline_seconds": 270.0, "threads": False}


@pytest.fixture(scope="module")
def place(uwsgi_venv, tmp_path_factory):
    """The address of the server, and an API token made on its console."""
    with open_house(tmp_path_factory.mktemp("home")) as house:
        project = house.folder / "flaskllm"
        project.mkdir()
        for name in ("flaskllm", "wsgi.py"):
            (project / name).symlink_to(CHECKOUT / name)
        shipped = (FOLDER / "flaskllm.yaml").read_text()
        settings = shipped.replace("YOUR_NAME", "ada")
        (project / "flaskllm.yaml").write_text(settings)
        del house.environ["FLASKLLM_DATA_DIR"]
        command = [*FLASKLLM, "tokens", "create", "me", "--scope=admin"]
        made = house.start(command, cwd=project)
        assert made.wait() == 0, made.stderr
        _, url = uwsgi_host.serve_uwsgi(
            house, ["--wsgi-file", str(FOLDER / "wsgi.py")], is_installed=False
        )
        assert (project / "data" / "flaskllm.db").exists()
        yield url, made.stdout.splitlines()[-1]


class TestPythonAnywhere:
    """The files of `pythonanywhere/`, put where its page says."""

    def send(self, place, **headers):
        url, token = place
        everything = {
            **bearer(token),
            "Content-Type": "message/rfc822",
            "Host": "ada.pythonanywhere.com",
            "X-Forwarded-For": "192.0.2.7",
            **headers,
        }
        return requests.post(f"{url}/api/v1/webhook", data=MAIL, headers=everything)

    def test_https_through_the_hosts_proxy_works(self, place):
        answer = self.send(place, **{"X-Forwarded-Proto": "https"})

        assert answer.status_code == 200
        assert answer.headers["Strict-Transport-Security"]

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"X-Forwarded-Proto": "http"}, 403),
            ({}, 403),
            ({"X-Forwarded-Proto": "https", "Host": "evil.example"}, 400),
        ],
        ids=["plain http", "no proxy", "foreign host"],
    )
    def test_anything_else_is_refused(self, place, headers, status):
        answer = self.send(place, **headers)

        assert answer.status_code == status
        assert "Location" not in answer.headers
