"""What callers sent and read lies in no database, log or backup as it was.

A word goes through every door that keeps something; then all files and all values
are searched for it, as text and in other guises.
"""

import base64
import json
import zlib

import pytest
from canaries import WORD, find_in
from fakes import answer_with, chat
from processes import bearer
from revisions import copies_of
from sealers import CURRENT
from sqlalchemy import text
from stream_steps import sse, tokens

from flaskllm.core.auth import Scope

SETTINGS = """
providers:
  box: {{kind: openai_compatible, base_url: {url}}}
deployments:
  small: {{provider: box, model: scripted-1, context_window: 32000}}
routes:
  - {{alias: scripted, deployments: {{small: 1}}}}
default_route: scripted
"""
MAIL = f"""From: Ada <ada@example.com>
Subject: Invoice
Date: Mon, 05 Oct 2026 09:00:00 +0200
Content-Type: text/plain; charset=utf-8

Please pay {WORD} by Friday, 9 October.
""".encode()
SAID = {"messages": [{"role": "user", "content": f"tell me of {WORD}"}]}
# What a chat is told, and what the webhook takes for keywords.
ANSWER = json.dumps({"keywords": [WORD, "invoice"]})


def answer(request):
    """Return the model's answer, as a stream where one is wanted."""
    return sse(tokens(ANSWER)) if request.json.get("stream") else chat(ANSWER)


def ask_all_doors(gateway, token):
    """Send the word everywhere, and yield each answer."""

    def post(path, number, **body):
        key = {"Idempotency-Key": f"{number}-of-the-canary-test"}
        reply = gateway.client.post(path, headers=bearer(token) | key, **body)
        assert reply.status_code == 200, (path, reply.get_data(as_text=True))
        return reply.get_data()

    mail = {"data": MAIL, "content_type": "message/rfc822"}
    yield post("/api/v1/webhook?type=keywords", 1, **mail)
    prompt = {"prompt": f"{WORD} is due", "type": "keywords"}
    yield post("/api/v1/webhook", 2, json=prompt)
    yield post("/api/v1/chat", 3, json=SAID)
    yield post("/v1/chat/completions", 4, json=SAID | {"model": "scripted"})
    streamed = SAID | {"model": "scripted", "stream": True}
    yield post("/v1/chat/completions", 5, json=streamed)
    asked = {"model": "scripted", "input": f"what of {WORD}?", "store": True}
    yield post("/v1/responses", 6, json=asked)
    message = SAID | {"model": "scripted", "max_tokens": 100}
    yield post("/v1/messages", 7, json=message)


def leave_for_later(gateway, token):
    """Have the word accepted as a job and in a batch, both done; return their ids."""
    later = {"callback_url": f"https://hooks.example.com/{WORD}", "metadata": {WORD: 1}}
    item = {"prompt": f"{WORD} is due", "type": "keywords"}
    posted = (
        ("/api/v1/webhook", item | later | {"event_id": WORD}),
        ("/api/v1/batches", {"items": [item, item | {"template": WORD}]}),
    )
    ids = []
    for path, body in posted:
        reply = gateway.client.post(path, headers=bearer(token), json=body)
        assert reply.status_code == 202, reply.get_data(as_text=True)
        ids.append(reply.json["data"]["id"])
    items = gateway.client.get(f"/api/v1/jobs/{ids[1]}/items", headers=bearer(token))
    for job_id in (ids[0], *(each["id"] for each in items.json["data"])):
        gateway.services.job_runs.run(job_id, 1, lambda name, function: function())
    return ids


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path, make_gateway, upstream):
    """A gateway with a model, and what reads everything that its store holds."""
    upstream.always(answer_with(answer))
    environ = {"FLASKLLM_SECRET": CURRENT}
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_database_url")
        environ["FLASKLLM_DATABASE_URL"] = url
    gateway = make_gateway(SETTINGS.format(url=upstream.url), environ)

    def read_everything():
        gateway.services.accounts.flush()
        found = values_of(gateway.services.database)
        if request.param != "postgres":
            path = gateway.loaded.settings.data_dir.absolute() / "flaskllm.db"
            found |= copies_of(path, tmp_path)
        return found | {"log": gateway.log.encode()}

    yield gateway, read_everything
    gateway.services.accounts.flush()


def values_of(database):
    """Return all rows of each table, as text and as bytes."""
    tables = text(
        "SELECT table_schema || '.' || table_name FROM information_schema.tables "
        "WHERE table_schema IN ('public', 'dbos')"
        if database.is_shared
        else "SELECT 'main.' || name FROM sqlite_schema WHERE type = 'table'"
    )
    with database.reading() as connection:
        found = connection.execute(tables).scalars().all()
        names = {name.partition(".")[2]: name for name in found}
        assert {"responses", "idempotency", "usage", "audit"} <= set(names)
        return {
            f"table {name}": b"\n".join(
                value if isinstance(value, bytes) else str(value).encode()
                for row in connection.execute(text(f"SELECT * FROM {place}"))
                for value in row
            )
            for name, place in names.items()
        }


def test_a_word_of_a_mail_or_a_chat_is_nowhere_to_be_found(place):
    gateway, read_everything = place
    token = gateway.make_token(Scope.ADMIN)

    answers = list(ask_all_doors(gateway, token))

    assert len(answers) == 7
    assert all(find_in(answer) for answer in answers)
    everything = read_everything()
    assert len(everything["table idempotency"]) > 7 * 100
    assert len(everything["table responses"]) > 100
    assert {name: find_in(data) for name, data in everything.items()} == {
        name: [] for name in everything
    }


def test_nor_is_one_that_was_accepted_for_later(place):
    gateway, read_everything = place
    token = gateway.make_token(Scope.ADMIN)

    job_id, batch_id = leave_for_later(gateway, token)

    for path in (job_id, f"{batch_id}/items"):
        told = gateway.client.get(f"/api/v1/jobs/{path}", headers=bearer(token))
        assert find_in(told.get_data()) == ["plain"]
    everything = read_everything()
    kept = ("documents", "jobs", "job_steps", "deliveries", "workflow_status")
    assert all(everything[f"table {name}"] for name in kept)
    assert {name: find_in(data) for name, data in everything.items()} == {
        name: [] for name in everything
    }


def test_what_lies_sealed_is_told_again_in_full(place):
    gateway, _ = place
    token = gateway.make_token(Scope.ADMIN)

    first = list(ask_all_doors(gateway, token))

    assert list(ask_all_doors(gateway, token)) == first
    kept = gateway.client.get(
        f"/v1/responses/{json.loads(first[5])['id']}", headers=bearer(token)
    )
    assert find_in(kept.get_data()) == ["plain"]


@pytest.mark.parametrize("number", range(11))
def test_the_search_finds_the_word_in_every_guise(number):
    plain = f"say {WORD} now".encode()
    guises = [
        plain,
        plain[::-1],
        plain.decode().encode("utf-16-le"),
        plain.hex().encode(),
        plain.hex().upper().encode(),
        "".join(f"%{byte:02X}" for byte in plain).encode(),
        base64.b64encode(plain),
        base64.b64encode(b"a" + plain),
        base64.b64encode(b"ab" + plain),
        b"\x00\x01" + zlib.compress(plain * 9, 1),
        b"head" + zlib.compress(plain.hex().encode() * 9, 9) + b"tail",
    ]

    assert find_in(b"\xff" * 20 + guises[number] + b"\x00" * 20)
