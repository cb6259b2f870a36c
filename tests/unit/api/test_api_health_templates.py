"""Probes, and the list of templates."""

import pytest


@pytest.mark.parametrize("path", ["/health", "/api/v1/health"])
def test_a_process_that_answers_is_ok(client, services, path):
    reply = client.get(path)

    assert reply.json == {"data": {"status": "ok"}, "meta": {}}
    assert services.health.asked == 0


@pytest.mark.parametrize(
    ("word", "status"), [("ready", 200), ("degraded", 200), ("not_ready", 503)]
)
def test_readiness_is_a_status_and_a_word(client, services, word, status):
    services.health.answers[:] = [word]

    reply = client.get("/api/v1/health/ready")

    assert reply.status_code == status
    assert reply.json == {"data": {"status": word, "settings": "current"}, "meta": {}}


def test_a_file_that_was_refused_is_told_and_does_not_make_the_service_unready(
    client, services
):
    services.settings.state = "rejected"

    reply = client.get("/api/v1/health/ready")

    assert reply.status_code == 200
    assert reply.json["data"] == {"status": "ready", "settings": "rejected"}


def test_many_probes_in_a_second_ask_the_database_once(client, services, time_machine):
    services.health.answers[:] = ["ready", "not_ready"]
    time_machine.move_to("2025-03-14T09:30:00Z", tick=False)

    first = [client.get("/api/v1/health/ready").status_code for _ in range(50)]
    time_machine.shift(1.5)
    second = [client.get("/api/v1/health/ready").status_code for _ in range(50)]

    assert set(first) == {200}
    assert set(second) == {503}
    assert services.health.asked == 2


def test_templates_are_listed_without_their_text(client, bearer):
    reply = client.get("/api/v1/templates", headers=bearer("webhook"))

    assert reply.json == {
        "data": [
            {
                "name": "summary",
                "version": 1,
                "type": "summary",
                "purpose": "Sum up.",
                "response_schema": "facts",
                "tokens_kept_free": 900,
                "variables": [
                    {
                        "name": "tone",
                        "required": False,
                        "limit_characters": 200,
                        "description": "How it should sound.",
                    }
                ],
                "sha256": "ab" * 32,
            }
        ],
        "meta": {},
    }
