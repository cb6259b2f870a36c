"""The real server: on PostgreSQL, and on a disk on which nothing can be written."""

import os
import subprocess
import sys

import pytest
import requests
from fakes import chat
from postgres_sessions import name_in
from processes import FLASKLLM, SCRIPTED, bearer, free_port, post
from requirements import require

DIGEST = '{"summary": {"short": "Ben is to be called by Friday.", "bullets": []}}'
API_TOKEN = "k3R9vQ2mX7bT5wL8nZ4cH6jD1sF0gYpA"
SECRET = "Zt8Kq1LmX4vB7nR2wY5cJ9dH3sG6fPaE"
MAIL = b"From: a@example.com\r\nSubject: Hi\r\n\r\nPlease call Ben by Friday.\r\n"
# Nothing but the memory disk that shared memory lies on can be written.
READ_ONLY = 'mount -o remount,ro,bind / && ! touch "$HOME/x" && exec "$@"'


def ask(url, token, path="/v1/chat/completions"):
    """Return the answer to a question to the scripted model."""
    question = {"model": "scripted", "messages": [{"role": "user", "content": "Hi."}]}
    return requests.post(f"{url}{path}", json=question, headers=bearer(token))


def use_postgres(house, url):
    house.environ["FLASKLLM_DATABASE_URL"] = url
    house.environ["FLASKLLM_SECRET"] = SECRET


@pytest.fixture
def read_only():
    """The command that runs another one where the whole disk is read-only."""
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    enter = ["unshare", "--mount", *as_root, "sh", "-c", READ_ONLY, "sh"]
    trial = subprocess.run([*enter, "true"], capture_output=True, env=os.environ)
    if trial.returncode:
        require("namespaces", f"no mount namespace here: {trial.stderr.decode()}")
    return enter


class TestPostgres:
    def test_the_first_start_makes_the_schema_and_two_workers_share_it(
        self, house, upstream, empty_postgres_url
    ):
        use_postgres(house, empty_postgres_url)
        house.write_settings(SCRIPTED.format(url=upstream.url))
        upstream.always(chat("Hello."))
        token = house.make_token("--scope=chat", "--scope=webhook")
        started, url = house.serve(FLASKLLM_SERVER__WORKERS="2")
        started.wait_for(lambda: len(started.workers()) == 2)

        answers = [ask(url, token) for _ in range(6)]

        assert {answer.status_code for answer in answers} == {200}
        assert not (house.data / "flaskllm.db").exists()
        checked = house.run("db", "check")
        assert checked.returncode == 0, checked.stderr
        assert checked.stdout.startswith(b"database: PostgreSQL 1")

    def test_it_goes_on_after_all_its_connections_were_killed(
        self, house, postgres, empty_postgres_url
    ):
        use_postgres(house, empty_postgres_url)
        token = house.make_token("--scope=webhook")
        started, url = house.serve()
        assert post(url, token, MAIL, "message/rfc822").status_code == 200

        postgres.run(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            f"WHERE datname = '{name_in(empty_postgres_url)}'"
        )

        again = house.make_token("--scope=webhook")
        assert post(url, again, MAIL, "message/rfc822").status_code == 200
        ready = requests.get(f"{url}/api/v1/health/ready", timeout=5)
        assert ready.status_code == 200
        assert started.process.poll() is None

    def test_without_the_master_secret_it_does_not_start(self, house):
        house.environ["FLASKLLM_DATABASE_URL"] = "postgresql://me:geheim@127.0.0.1:1/x"

        refused = house.run("serve")

        assert refused.returncode == 2
        assert b"\nsecret\n" in refused.stderr
        assert b"FLASKLLM_SECRET" in refused.stderr
        assert b"geheim" not in refused.stderr

    def test_without_the_driver_it_says_what_to_install(self, house):
        use_postgres(house, "postgresql://me:geheim@127.0.0.1:1/x")
        script = (
            "import sys; sys.modules['psycopg'] = None; "
            "from flaskllm.cli import main; sys.argv[1:] = ['serve']; main()"
        )
        refused = house.start([sys.executable, "-c", script])

        assert refused.wait() == 2
        assert "psycopg is not installed" in refused.stderr
        assert "pip install 'psycopg[binary]'" in refused.stderr
        assert "geheim" not in refused.stderr

    def test_a_newer_schema_stops_the_start_with_one_line(
        self, house, postgres, postgres_database_url
    ):
        use_postgres(house, postgres_database_url)
        statement = "UPDATE alembic_version SET version_num = '9999'"
        postgres.run(statement, database=name_in(postgres_database_url))

        refused = house.run("serve", FLASKLLM_API_TOKEN=API_TOKEN)

        (line,) = refused.stderr.decode().splitlines()
        assert refused.returncode == 1
        assert "revision '9999'" in line


class TestMemory:
    def test_webhook_and_chat_work_on_a_read_only_disk(
        self, house, upstream, read_only
    ):
        house.write_settings(SCRIPTED.format(url=upstream.url))
        upstream.always(chat(DIGEST))
        house.environ["FLASKLLM_DATABASE_URL"] = "sqlite://"
        house.environ["FLASKLLM_API_TOKEN"] = API_TOKEN
        port = free_port()
        started = house.start([*read_only, *FLASKLLM, "serve", f"--port={port}"])
        url = f"http://127.0.0.1:{port}"
        started.wait_until_ready(url)

        answer = ask(url, API_TOKEN)
        digest = post(url, API_TOKEN, MAIL, "message/rfc822")

        assert answer.json()["choices"][0]["message"]["content"] == DIGEST
        assert digest.status_code == 200, started.stderr
        assert "Ben" in digest.json()["data"]["text"]
        assert not house.data.exists()
        # `touch` alone ran into it.
        assert started.stderr.count("Read-only file system") == 1

    def test_a_data_folder_that_cannot_be_made_is_not_missed(self, house, upstream):
        (house.folder / "file").touch()
        house.environ["FLASKLLM_DATA_DIR"] = str(house.folder / "file" / "data")
        house.environ["FLASKLLM_DATABASE_URL"] = "sqlite://"
        house.write_settings(SCRIPTED.format(url=upstream.url))
        upstream.always(chat("Hello."))

        _, url = house.serve(FLASKLLM_API_TOKEN=API_TOKEN)

        assert ask(url, API_TOKEN).status_code == 200
