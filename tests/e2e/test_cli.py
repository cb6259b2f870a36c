"""The command line as its own process: status, clean output, one truth for both."""

import json
import os
import pty
import stat

import pytest
from fakes import chat
from processes import FLASKLLM, SCRIPTED, post

MAIL = b"""From: Ada Quist <ada@example.com>
To: Ben Ito <ben@example.org>
Subject: Invoice 4711
Date: Mon, 05 Oct 2026 09:00:00 +0200
Message-ID: <1@mail.example>
Content-Type: text/plain; charset=utf-8

Hello Ben,

the invoice of 1,250.00 EUR is still open. Please pay it by Friday, 9 October.
We decided to stop deliveries until then.

Ada
"""
MEETING = b"""WEBVTT

00:00:01.000 --> 00:00:04.000
Maria Lopez: I will send the forecast to everyone by Friday.
"""


def is_taken(url, token):
    """Tell whether the API token is still good for the server."""
    return post(url, token, MAIL, "message/rfc822").status_code == 200


def in_terminal(house, *arguments):
    """Run the command on a terminal and return its status and what it shows."""
    leader, follower = pty.openpty()
    process = os.fork()
    if process == 0:  # the child never returns
        os.close(leader)
        os.login_tty(follower)
        os.chdir(house.folder)
        os.execve(FLASKLLM[0], [*FLASKLLM, *arguments], house.environ)
    os.close(follower)
    shown = b""
    while data := _read(leader):
        shown += data
    os.close(leader)
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status), shown.decode()


def _read(leader):
    try:
        return os.read(leader, 65536)
    except OSError:  # the terminal has no reader of its other end any more
        return b""


class TestSummarise:
    def test_a_file_becomes_clean_json_on_a_pipe(self, house):
        (house.folder / "mail.eml").write_bytes(MAIL)

        made = house.run("summarise", "mail.eml")

        assert made.returncode == 0, made.stderr
        answer = json.loads(made.stdout)
        digest = answer["data"]["digest"]
        assert digest["kind"] == "email"
        assert answer["meta"]["degraded"] is True
        assert digest["action_items"][0]["evidence"]["verified"] is True

    def test_a_dash_reads_standard_input(self, house):
        made = house.run("summarise", "-", "--type=action_items", stdin=MEETING)

        assert made.returncode == 0, made.stderr
        digest = json.loads(made.stdout)["data"]["digest"]
        assert digest["kind"] == "meeting"
        assert digest["action_items"][0]["owner"] == "Maria Lopez"

    def test_a_terminal_gets_text_and_json_only_when_asked(self, house):
        (house.folder / "mail.eml").write_bytes(MAIL)

        status, shown = in_terminal(house, "summarise", "mail.eml")
        assert status == 0
        assert "proven: “" in shown
        with pytest.raises(ValueError, match="Expecting value"):
            json.loads(shown)

        status, shown = in_terminal(house, "summarise", "mail.eml", "--json")
        assert status == 0
        asked = shown[shown.index("{") :]
        assert json.loads(asked)["data"]["digest"]["kind"] == "email"

    def test_a_terminal_sees_whom_it_waits_for(self, house, upstream):
        facts = {"keywords": ["invoice"]}
        upstream.always(chat(json.dumps(facts)))
        house.write_settings(SCRIPTED.format(url=upstream.url))
        (house.folder / "mail.eml").write_bytes(MAIL)

        status, shown = in_terminal(house, "summarise", "mail.eml", "--type=keywords")

        assert status == 0
        assert "asking small ..." in shown
        assert "invoice" in shown

    def test_it_says_the_same_as_the_webhook(self, house):
        (house.folder / "mail.eml").write_bytes(MAIL)
        token = house.make_token()
        _, url = house.serve()

        shell = json.loads(house.run("summarise", "mail.eml").stdout)
        web = post(url, token, MAIL, "message/rfc822").json()

        assert shell["data"]["digest"] == web["data"]["digest"]
        assert shell["data"]["text"] == web["data"]["text"]
        assert set(shell["data"]) == set(web["data"])

    @pytest.mark.parametrize(
        ("arguments", "status", "told"),
        [
            (("nowhere.eml",), 2, "nowhere.eml"),
            (("-", "--type=poem"), 2, "poem"),
            (("-", "--language=xx"), 2, "ISO 639-1"),
            (("-", "--model=nobody"), 1, "nobody"),
            (("-", "--type=reply"), 1, "model"),
            (("-", "--variable=labels"), 2, "NAME=VALUE"),
        ],
        ids=["no file", "type", "language", "model", "needs a model", "variable"],
    )
    def test_a_failure_is_told_on_stderr_and_by_the_status(
        self, house, arguments, status, told
    ):
        made = house.run("summarise", *arguments, stdin=MAIL)

        assert made.returncode == status
        assert made.stdout == b""
        assert told in made.stderr.decode()
        assert "Traceback" not in made.stderr.decode()

    def test_empty_input_is_refused_in_words(self, house):
        made = house.run("summarise", "-", stdin=b" \n")

        assert made.returncode == 1
        assert b"empty" in made.stderr


class TestTokens:
    def test_a_new_token_stands_alone_on_the_last_line_and_opens_the_webhook(
        self, house
    ):
        made = house.run("tokens", "create", "zapier", "--scope=webhook")

        assert made.returncode == 0, made.stderr
        (token,) = made.stdout.decode().splitlines()
        assert token.startswith("fllm_api_")
        _, url = house.serve()
        assert post(url, token, MAIL, "message/rfc822").status_code == 200

    def test_the_list_shows_all_of_it_but_the_secret(self, house):
        token = house.make_token("--scope=webhook", "--scope=read")

        listed = house.run("tokens", "list").stdout.decode()

        identity = token.removeprefix("fllm_api_")[:12]
        assert identity in listed
        assert "read,webhook" in listed
        assert "active" in listed
        assert token not in listed
        assert token.removeprefix("fllm_api_")[12:44] not in listed

    def test_a_revoked_token_is_refused_by_the_running_server(self, house):
        token = house.make_token()
        started, url = house.serve()
        assert post(url, token, MAIL, "message/rfc822").status_code == 200

        revoked = house.run("tokens", "revoke", token.removeprefix("fllm_api_")[:12])

        assert revoked.returncode == 0, revoked.stderr
        started.wait_for(lambda: not is_taken(url, token), seconds=2.0)
        refused = post(url, token, MAIL, "message/rfc822")
        assert refused.json()["code"] == "AUTHENTICATION_ERROR"
        assert "revoked" in house.run("tokens", "list").stdout.decode()

    @pytest.mark.parametrize(
        ("arguments", "status", "told"),
        [
            (("create", "a"), 2, "--scope"),
            (("create", "a", "--scope=root"), 2, "root"),
            (("create", " ", "--scope=read"), 2, "name"),
            (("create", "a", "--scope=read", "--expires=soon"), 2, "soon"),
            (("create", "a", "--scope=read", "--expires=2020-01-01"), 2, "passed"),
            (("revoke", "nobody"), 1, "no API token with this id"),
        ],
    )
    def test_a_wrong_order_is_refused_in_words(self, house, arguments, status, told):
        made = house.run("tokens", *arguments)

        assert made.returncode == status
        assert made.stdout == b""
        assert told in made.stderr.decode()


class TestDatabase:
    def test_upgrade_makes_the_database_once_and_for_its_owner_alone(self, house):
        first, second = house.run("db", "upgrade"), house.run("db", "upgrade")

        assert first.stdout == b"The schema was upgraded.\n", first.stderr
        assert second.stdout == b"The schema is up to date.\n"
        assert stat.S_IMODE(house.data.stat().st_mode) == 0o700
        assert stat.S_IMODE((house.data / "flaskllm.db").stat().st_mode) == 0o600


class TestConfig:
    def test_check_says_ok_or_names_the_key_and_the_nearest(self, house):
        house.write_settings("server: {port: 8001}\n")
        good = house.run("config", "check")
        assert good.returncode == 0, good.stdout
        assert good.stdout.splitlines()[-1].startswith(b"ok: ")

        house.write_settings("server: {prt: 8001}\n")
        refused = house.run("config", "check")
        assert refused.returncode == 2
        assert "server.prt (flaskllm.yaml:1)" in refused.stdout.decode()
        assert "nearest: port" in refused.stdout.decode()

    def test_show_masks_secrets_and_tells_where_each_value_came_from(self, house):
        house.write_settings(
            "providers:\n  box: {kind: openai, api_key: '${BOX_KEY}'}\n"
            "server: {port: 8001}\n"
        )

        shown = house.run("config", "show", BOX_KEY="sk-canary-4711-abcdef")

        told = shown.stdout.decode()
        assert shown.returncode == 0, shown.stderr
        assert "canary" not in told
        assert "8001" in told
        assert "flaskllm.yaml:3" in told
        assert "BOX_KEY" in told

    def test_the_example_is_a_file_that_passes_the_check(self, house):
        example = house.run("config", "example").stdout.decode()
        house.write_settings(example)

        credentials = {"OPENAI_API_KEY": "sk-of-an-example", "AZURE_KEY": "az-example"}
        checked = house.run("config", "check", **credentials)

        assert checked.returncode == 0, checked.stderr

    def test_the_schema_is_json_and_knows_the_sections(self, house):
        schema = json.loads(house.run("config", "schema").stdout)

        assert {"server", "providers", "deployments", "routes"} <= set(
            schema["properties"]
        )

    def test_wrong_settings_stop_every_command_with_status_2(self, house):
        house.write_settings("routes: 7\n")

        for command in (["tokens", "list"], ["db", "upgrade"], ["summarise", "-"]):
            refused = house.run(*command, stdin=MAIL)
            assert refused.returncode == 2, command
            assert "routes" in refused.stderr.decode()
            assert "Traceback" not in refused.stderr.decode()
