"""A backup that is made under load brings everything back, to its owner alone."""

import threading

import pytest
import requests
from canaries import WORD, find_in
from fakes import chat
from processes import SCRIPTED, bearer
from sealers import CURRENT, OTHER

ASKED = {"model": "scripted", "input": f"what of {WORD}?", "store": True}
ITEM = {"prompt": f"{WORD} is due", "type": "keywords", "async": True}


@pytest.fixture(params=["sqlite", "postgres"])
def kept(request, house, upstream):
    """A house whose gateway has kept a response and a job that nobody has done."""
    upstream.always(chat('{"keywords": ["invoice"]}'))
    house.write_settings(SCRIPTED.format(url=upstream.url))
    house.accept_jobs()
    house.environ["FLASKLLM_SECRET"] = CURRENT
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_database_url")
        house.environ["FLASKLLM_DATABASE_URL"] = url
    token = house.make_token("--scope=chat", "--scope=webhook")
    server, url = house.serve("--no-worker")
    response = post(url, token, "/v1/responses", ASKED).json()["id"]
    job = post(url, token, "/api/v1/webhook", ITEM).json()["data"]["id"]
    return house, server, url, token, response, job


def post(url, token, path, body):
    reply = requests.post(url + path, json=body, headers=bearer(token), timeout=30)
    assert reply.ok, reply.text
    return reply


def get(url, token, path):
    return requests.get(url + path, headers=bearer(token), timeout=30)


def backed_up(house, url, token):
    """Return a backup that was made while somebody wrote without a pause."""
    is_done = threading.Event()

    def write():
        while not is_done.is_set():
            post(url, token, "/v1/responses", ASKED)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = house.run("db", "backup", str(house.folder / "backup.file"))
    finally:
        is_done.set()
        writer.join()
    assert made.returncode == 0, made.stderr
    assert b"master secret is not in it" in made.stderr
    return house.folder / "backup.file"


def test_what_was_kept_is_there_again_for_who_has_the_secret(kept):
    house, server, url, token, response, job = kept
    file = backed_up(house, url, token)
    later = post(url, token, "/v1/responses", ASKED).json()["id"]
    under_a_server = house.run("db", "restore", str(file), "--force")
    server.stop()
    other = {"FLASKLLM_SECRET": OTHER}

    with_another_secret = house.run("db", "restore", str(file), "--force", **other)
    restored = house.run("db", "restore", str(file), "--force")

    assert find_in(file.read_bytes()) == []
    assert under_a_server.returncode == with_another_secret.returncode == 1
    assert b"Stop the gateway" in under_a_server.stderr
    assert b"master secret is not the one" in with_another_secret.stderr
    assert (restored.returncode, restored.stderr) == (0, b"")
    assert restored.stdout.startswith(b"restored: ")
    assert b"what was there is kept: " in restored.stdout
    worker = house.run("worker", "--drain")
    assert worker.returncode == 0, worker.stderr
    _, url = house.serve("--no-worker")
    assert get(url, token, f"/v1/responses/{response}").status_code == 200
    assert get(url, token, f"/v1/responses/{later}").status_code == 404
    done = get(url, token, f"/api/v1/jobs/{job}")
    assert (done.status_code, done.json()["data"]["type"]) == (200, "keywords")
