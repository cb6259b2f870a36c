"""The master secret in real processes: a wrong one stops them, it can be changed."""

import os
import stat

import pytest
import requests
import uwsgi_host
from processes import CHECKOUT, FLASKLLM, GUNICORN, bearer, free_port
from sealers import CURRENT, OTHER, PREVIOUS

from flaskllm.core.secrets import KeyRing, Purpose

REFUSED = "The master secret is not the one this database was made with."


@pytest.fixture
def made(house):
    """A house whose database was made under `PREVIOUS`, and an admin's API token."""
    house.environ["FLASKLLM_SECRET"] = PREVIOUS
    token = house.make_token("--scope=admin")
    house.environ["FLASKLLM_SECRET"] = OTHER
    return house, token


def told(stderr):
    """Return the lines that say anything of the secret."""
    return [line for line in stderr.splitlines() if "master secret is not" in line]


@pytest.mark.parametrize(
    "command",
    [
        ("serve",),
        ("tokens", "create", "other", "--scope=chat"),
        ("db", "upgrade"),
        ("db", "reseal"),
        ("db", "reseal", "--check"),
        ("maintain",),
        ("cache", "clear"),
    ],
    ids=" ".join,
)
def test_a_lost_one_is_told_and_none_is_made_in_its_place(house, command):
    house.make_token("--scope=chat")
    (house.data / "secret").unlink()

    done = house.run(*command)

    assert done.returncode == 1
    assert b"database was made with is missing" in done.stderr
    assert not (house.data / "secret").exists()


class TestAWrongSecret:
    @pytest.mark.parametrize(
        "command",
        [
            ("serve",),
            ("tokens", "list"),
            ("db", "upgrade"),
            ("db", "reseal"),
            ("maintain",),
        ],
        ids=" ".join,
    )
    def test_it_ends_a_command_with_one_line(self, made, command):
        house, _ = made
        port = (f"--port={free_port()}",) if command == ("serve",) else ()

        done = house.run(*command, *port)

        assert done.returncode == 1
        assert done.stdout == b""
        (line,) = done.stderr.decode().splitlines()
        assert line.startswith(f"Error: {REFUSED}")

    def test_it_ends_plain_gunicorn_before_a_worker_begins(self, made):
        house, _ = made
        port = str(free_port())

        started = house.start(
            (*GUNICORN, "wsgi:application"), cwd=CHECKOUT, FLASKLLM_SERVER__PORT=port
        )

        assert started.wait() == 1
        (line,) = told(started.stderr)
        assert line.startswith(f"Error: {REFUSED}")
        assert "Traceback" not in started.stderr
        assert "Booting worker" not in started.stderr

    @pytest.mark.usefixtures("uwsgi_venv")
    def test_where_a_server_cannot_be_kept_from_starting_it_is_never_ready(self, made):
        house, token = made
        _, url = uwsgi_host.serve_uwsgi(house, ready_at="/api/v1/health")

        ready = requests.get(f"{url}/api/v1/health/ready")
        asked = requests.get(f"{url}/api/v1/templates", headers=bearer(token))

        assert ready.status_code == 503
        assert ready.json()["data"]["status"] == "not_ready"
        assert asked.status_code == 503


class TestASecretThatWasPutAside:
    """Step 1 of docs/storage.md, with the secret in its file."""

    @pytest.fixture
    def aside(self, house):
        """A house whose secret is the previous one now, and an API token of before."""
        token = house.make_token("--scope=admin")
        (house.data / "secret").rename(house.data / "secret.previous")
        return house, token

    @pytest.mark.parametrize(
        "command", [("db", "upgrade"), ("db", "check"), ("maintain",)], ids=" ".join
    )
    def test_the_next_command_makes_a_new_one(self, aside, command):
        house, _ = aside

        done = house.run(*command)

        assert done.returncode == 0, done.stderr
        made = (house.data / "secret").read_text()
        assert made != (house.data / "secret.previous").read_text()

    def test_so_does_the_next_start_and_who_had_an_api_token_still_comes_in(
        self, aside
    ):
        house, token = aside

        _, url = house.serve()

        assert (house.data / "secret").exists()
        answer = requests.get(f"{url}/api/v1/templates", headers=bearer(token))
        assert answer.status_code == 200


def test_a_change_of_the_secret_step_by_step(house):
    """The steps of docs/storage.md, with the secret in its file."""
    house.make_token("--scope=admin")
    before = (house.data / "secret").read_text()

    (house.data / "secret").rename(house.data / "secret.previous")
    upgraded = house.run("db", "upgrade")
    token = house.make_token("--scope=admin")
    checked = house.run("db", "reseal", "--check")
    resealed = house.run("db", "reseal")

    assert upgraded.returncode == 0
    assert (house.data / "secret").read_text() != before
    assert stat.S_IMODE((house.data / "secret").stat().st_mode) == 0o600
    assert b"Keep the previous master secret" in checked.stdout
    assert resealed.returncode == 0
    # Nobody has used them since, so that one of them is known by the previous alone.
    assert b"2 API tokens were not used since" in resealed.stdout
    (house.data / "secret.previous").unlink()
    _, url = house.serve()
    answer = requests.get(f"{url}/api/v1/templates", headers=bearer(token))
    assert answer.status_code == 200


def test_an_api_token_of_before_is_good_in_the_meantime_and_once_used_for_ever(made):
    house, token = made
    house.environ |= {"FLASKLLM_SECRET": CURRENT, "FLASKLLM_PREVIOUS_SECRET": PREVIOUS}
    server, url = house.serve()
    used = requests.get(f"{url}/api/v1/templates", headers=bearer(token))
    server.stop()

    resealed = house.run("db", "reseal")
    del house.environ["FLASKLLM_PREVIOUS_SECRET"]
    _, url = house.serve()

    assert used.status_code == 200
    assert resealed.returncode == 0
    again = requests.get(f"{url}/api/v1/templates", headers=bearer(token))
    assert again.status_code == 200


def test_on_a_read_only_disk_memory_and_an_api_token_are_enough(house):
    """No data folder is made, where one could not be made either."""
    house.environ |= {
        "FLASKLLM_DATABASE_URL": "sqlite://",
        "FLASKLLM_API_TOKEN": CURRENT,
        "FLASKLLM_DATA_DIR": "/proc/no-folder-can-be-made-here",
    }

    _, url = house.serve()

    assert requests.get(f"{url}/api/v1/health/ready").status_code == 200
    answer = requests.post(
        f"{url}/api/v1/webhook",
        data=b"Subject: Hello\n\nPlease pay by Friday.",
        headers={**bearer(CURRENT), "Content-Type": "message/rfc822"},
    )
    assert answer.status_code == 200
    assert not os.path.exists(house.environ["FLASKLLM_DATA_DIR"])


def test_processes_that_start_together_agree_on_the_secret(house):
    """Each of them makes the data folder, the secret, the database and its mark."""
    started = [house.start((*FLASKLLM, "db", "upgrade")) for _ in "abcd"]

    assert [each.wait() for each in started] == [0] * 4, started[0].stderr
    key = KeyRing(None, house.data).key(Purpose.MARK)
    assert len(key) == 32
    assert house.run("tokens", "list").returncode == 0
