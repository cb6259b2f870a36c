"""`flaskllm serve` and plain gunicorn as real processes: start, work, fail, stop."""

import json
import os
import re
import signal
import socket
import stat
import sys

import pytest
import requests
from fakes import chat, hang
from processes import (
    CHECKOUT,
    GUNICORN,
    SCRIPTED,
    bearer,
    free_port,
    post,
)

MAIL = b"""From: Ada Quist <ada@example.com>
To: Ben Ito <ben@example.org>
Subject: Invoice 4711
Date: Mon, 05 Oct 2026 09:00:00 +0200
Message-ID: <1@mail.example>
Content-Type: text/plain; charset=utf-8

Hello Ben,

please pay the invoice mailcanary by Friday, 9 October.

Ada
"""
STRONG = "k3R9vQ2mX7bT5wL8nZ4cH6jD1sF0gYpA"
API_TOKEN = re.compile(r"fllm_api_[0-9A-Za-z]{50}")


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


class TestStart:
    def test_the_very_first_start_shows_an_admin_token_and_the_second_does_not(
        self, house
    ):
        first, url = house.serve()
        (token,) = API_TOKEN.findall(first.stdout)
        assert f"http://127.0.0.1:{url.rsplit(':')[-1]}" in first.stdout
        assert str(house.data) in first.stdout
        assert "digests are extracts" in first.stdout
        assert post(url, token, MAIL, "message/rfc822").status_code == 200
        listed = requests.get(f"{url}/api/v1/templates", headers=bearer(token))
        assert listed.status_code == 200
        assert first.stop() == 0

        second, url = house.serve()
        assert API_TOKEN.findall(second.stdout) == []
        assert str(house.data) in second.stdout
        assert post(url, token, MAIL, "message/rfc822").status_code == 200

    def test_data_folder_database_and_secret_are_for_their_owner_alone(self, house):
        house.serve()

        modes = {path.name: mode_of(path) for path in house.data.iterdir()}
        assert mode_of(house.data) == 0o700
        assert modes["flaskllm.db"] == modes["secret"] == 0o600
        assert {mode & 0o077 for mode in modes.values()} == {0}

    def test_a_log_file_is_for_its_owner_alone_and_tells_the_same(self, house):
        log = house.folder / "gateway.log"
        _, url = house.serve(FLASKLLM_LOG_FILE=str(log))

        reply = requests.get(f"{url}/api/v1/health")

        assert mode_of(log) == 0o600
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        ids = [line["request_id"] for line in lines]
        assert reply.headers["X-Request-ID"] in ids

    def test_it_does_not_listen_to_other_machines_without_an_api_token(self, house):
        refused = house.run("serve", "--host=0.0.0.0", f"--port={free_port()}")

        assert refused.returncode == 1
        assert b"FLASKLLM_API_TOKEN" in refused.stderr
        assert b"fllm_api_" not in refused.stdout

    def test_it_listens_to_other_machines_with_one(self, house):
        started, url = house.serve("--host=0.0.0.0", FLASKLLM_API_TOKEN=STRONG)

        assert post(url, STRONG, MAIL, "message/rfc822").status_code == 200
        assert API_TOKEN.findall(started.stdout) == []
        assert STRONG not in started.stdout + started.stderr

    @pytest.mark.parametrize(
        "weak",
        ["", "short", "changeme" * 5, "a" * 40, "your-secret-token-goes-here-12345678"],
        ids=["empty", "short", "placeholder", "repeated", "typed"],
    )
    def test_a_weak_api_token_stops_the_start_and_shows_how_to_make_one(
        self, house, weak
    ):
        port = f"--port={free_port()}"
        refused = house.run("serve", "--host=0.0.0.0", port, FLASKLLM_API_TOKEN=weak)

        told = refused.stderr.decode()
        assert refused.returncode == (2 if weak else 1)
        assert "FLASKLLM_API_TOKEN" in told
        if weak:
            assert 'python3 -c "import secrets' in told
            assert weak not in told

    def test_a_weak_secret_stops_the_start_too(self, house):
        refused = house.run("serve", FLASKLLM_SECRET="secret")

        assert refused.returncode == 2
        assert "FLASKLLM_SECRET" in refused.stderr.decode()
        assert 'python3 -c "import secrets' in refused.stderr.decode()

    @pytest.mark.parametrize(
        ("text", "path"),
        [
            ("servr: {}\n", "servr"),
            ("server: {port: much}\n", "server.port"),
            ("timeouts: {deadline_seconds: -1}\n", "timeouts.deadline_seconds"),
            ("providers: {box: {kind: gpt}}\n", "providers.box.kind"),
            ("server: [\n", "flaskllm.yaml"),
        ],
    )
    def test_wrong_settings_end_with_status_2_and_the_path_of_the_key(
        self, house, text, path
    ):
        house.write_settings(text)

        refused = house.run("serve")

        told = refused.stderr.decode()
        assert refused.returncode == 2
        assert path in told
        assert "Traceback" not in told
        assert not house.data.exists()

    def test_a_data_folder_that_others_may_enter_is_refused(self, house):
        house.data.mkdir(mode=0o755)
        (house.data / "flaskllm.db").touch()

        refused = house.run("serve")

        assert refused.returncode == 1
        assert b"data folder" in refused.stderr
        assert b"Traceback" not in refused.stderr

    def test_sigterm_ends_it_in_good_order(self, house):
        started, _ = house.serve()

        assert started.stop(signal.SIGTERM) == 0
        assert "Traceback" not in started.stderr


class TestPlainGunicorn:
    COMMAND = (*GUNICORN, "wsgi:application")

    def test_from_the_checkout_it_finds_its_settings_and_works(self, house):
        token, port = house.make_token(), free_port()
        started = house.start(
            self.COMMAND, cwd=CHECKOUT, FLASKLLM_SERVER__PORT=str(port)
        )
        url = f"http://127.0.0.1:{port}"
        started.wait_until_ready(url)

        assert post(url, token, MAIL, "message/rfc822").status_code == 200
        (line,) = started.events("request_answered")[-1:]
        assert line["rule"] == "/api/v1/webhook"
        assert not (house.folder / ".gunicorn").exists()
        assert started.stop() == 0

    def test_wrong_settings_end_it_with_the_path_of_the_key(self, house):
        house.write_settings("servr: {}\n")

        refused = house.start(self.COMMAND, cwd=CHECKOUT)

        assert refused.wait() != 0
        assert "servr" in refused.stderr

    def test_several_workers_share_one_database_and_its_tokens(self, house):
        token, port = house.make_token(), free_port()
        started = house.start(
            self.COMMAND,
            cwd=CHECKOUT,
            FLASKLLM_SERVER__PORT=str(port),
            FLASKLLM_SERVER__WORKERS="2",
        )
        url = f"http://127.0.0.1:{port}"
        started.wait_until_ready(url)
        started.wait_for(lambda: len(started.workers()) == 2)

        answers = [post(url, token, MAIL, "message/rfc822") for _ in range(6)]

        assert {answer.status_code for answer in answers} == {200}


def test_flask_run_finds_the_app_for_development(house):
    """`app.py` exposes `app`; the development server is told its own port."""
    port = free_port()
    command = [sys.executable, "-m", "flask", "run", f"--port={port}"]
    started = house.start(command, cwd=CHECKOUT)
    started.wait_until_ready(f"http://127.0.0.1:{port}")


class TestModels:
    @pytest.fixture
    def served(self, house, upstream):
        house.write_settings(SCRIPTED.format(url=upstream.url))
        token = house.make_token()
        started, url = house.serve()
        return started, url, token

    def test_when_the_caller_hangs_up_the_upstream_is_let_go(self, served, upstream):
        started, url, token = served
        upstream.always(hang())
        host, port = url.removeprefix("http://").split(":")
        head = (
            "POST /api/v1/webhook HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {token}\r\nContent-Type: message/rfc822\r\n"
            f"Content-Length: {len(MAIL)}\r\n\r\n"
        )
        with socket.create_connection((host, int(port))) as caller:
            caller.sendall(head.encode() + MAIL)
            assert upstream.wait_for_requests(1)
            assert upstream.closed_by_peer == []

        assert upstream.wait_for_hang_up(1, seconds=3)
        started.wait_for(lambda: started.events("attempt_ended"))
        (attempt,) = started.events("attempt_ended")
        assert attempt["code"] == "CALLER_GONE"

    def test_a_killed_worker_costs_the_next_request_nothing(self, served, upstream):
        started, url, token = served
        upstream.always(chat('{"keywords": ["invoice"]}'))
        (worker,) = started.workers()

        os.kill(worker, signal.SIGKILL)
        answer = post(url, token, MAIL, "message/rfc822", type="keywords")

        assert answer.status_code == 200
        assert answer.json()["data"]["digest"]["keywords"] == ["invoice"]
        assert started.workers() != [worker]

    def test_a_worker_killed_in_the_middle_of_a_request_loses_only_that(
        self, served, upstream
    ):
        started, url, token = served
        upstream.script(hang())
        upstream.always(chat('{"keywords": ["invoice"]}'))
        host, port = url.removeprefix("http://").split(":")
        head = (
            "POST /api/v1/webhook?type=keywords HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {token}\r\nContent-Type: message/rfc822\r\n"
            f"Content-Length: {len(MAIL)}\r\n\r\n"
        )
        with socket.create_connection((host, int(port))) as caller:
            caller.sendall(head.encode() + MAIL)
            assert upstream.wait_for_requests(1)
            os.kill(started.workers()[0], signal.SIGKILL)
            assert caller.recv(1) == b""

        answer = post(url, token, MAIL, "message/rfc822", type="keywords")

        assert answer.status_code == 200

    def test_sigterm_lets_a_running_request_finish(self, served, upstream):
        started, url, token = served
        upstream.always(lambda exchange: self._answer_after(exchange, started))
        answer = post(url, token, MAIL, "message/rfc822", type="keywords")

        assert answer.status_code == 200
        assert started.wait() == 0

    def _answer_after(self, exchange, started):
        started.process.send_signal(signal.SIGTERM)
        exchange.wait(0.5)
        chat('{"keywords": ["invoice"]}')(exchange)


class TestLogs:
    def test_every_line_is_json_and_no_secret_prompt_or_mail_is_in_any(
        self, house, upstream
    ):
        upstream.always(chat('{"keywords": ["answercanary"]}'))
        settings = SCRIPTED.format(url=upstream.url).replace(
            "kind:", "api_key: sk-keycanary-0123456789, kind:"
        )
        house.write_settings(settings)
        token = house.make_token()
        secret = (house.data / "secret").read_text().strip()
        started, url = house.serve(FLASKLLM_LOG_LEVEL="DEBUG")

        post(url, token, MAIL, "message/rfc822", type="keywords", source="email")
        post(url, token, MAIL, "message/rfc822", type="querycanary")
        post(url, token, b'{"prompt": "bodycanary", "x', "application/json")
        post(url, token, b'{"model": "modelcanary", "prompt": "x"}', "application/json")
        post(url, "fllm_api_wrongcanary", MAIL, "message/rfc822")
        post(url, token[:-1] + "x", MAIL, "message/rfc822")
        requests.get(f"{url}/api/v1/pathcanary?token={token}")
        requests.get(f"{url}/health", headers={"X-Api-Key": token, "Cookie": token})
        started.stop()

        written = started.stdout + started.stderr
        canaries = re.findall(r"\w*canary\w*", written)
        assert canaries == []
        for hidden in (token, token[21:53], secret):
            assert hidden not in written
        lines = started.stderr.splitlines()
        assert len(lines) > 10
        for line in map(json.loads, lines):
            assert {"event", "level", "request_id"} <= line.keys()

    def test_each_request_and_attempt_has_its_line_with_id_and_principal(
        self, house, upstream
    ):
        upstream.always(chat('{"keywords": ["invoice"]}'))
        house.write_settings(SCRIPTED.format(url=upstream.url))
        token = house.make_token()
        started, url = house.serve()

        answer = post(url, token, MAIL, "message/rfc822", type="keywords")

        request_id = answer.headers["X-Request-ID"]
        mine = [line for line in started.events() if line["request_id"] == request_id]
        assert [line["event"] for line in mine] == ["attempt_ended", "request_answered"]
        assert {line["principal"] for line in mine} == {token[9:21]}
        assert mine[0]["deployment"] == "small"
        assert mine[1]["status"] == 200
        assert answer.json()["meta"]["request_id"] == request_id

    @pytest.mark.parametrize(
        ("sent", "is_kept"),
        [
            ("order-4711.retry_2", True),
            ("short", False),
            ("x" * 200, False),
            ("bad id with spaces", False),
            ('{"forged": "line"}', False),
        ],
    )
    def test_a_sane_request_id_is_kept_and_another_replaced(
        self, gunicorn_url, sent, is_kept
    ):
        reply = requests.get(f"{gunicorn_url}/health", headers={"X-Request-ID": sent})

        assert (reply.headers["X-Request-ID"] == sent) is is_kept
        assert re.fullmatch(r"[A-Za-z0-9._-]{8,128}", reply.headers["X-Request-ID"])

    def test_a_terminal_gets_lines_for_people(self, house):
        started, url = house.serve(FLASKLLM_LOG_FORMAT="text")
        reply = requests.get(f"{url}/health")

        request_id = reply.headers["X-Request-ID"]
        line = next(
            line for line in started.stderr.splitlines() if f"[{request_id}]" in line
        )
        assert re.match(r"\[[^]]+Z\] \[INFO\] \[flaskllm\.[\w.]+\] \[", line)
        assert " - request_answered " in line
