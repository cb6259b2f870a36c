"""Inbound endpoints: in the settings file, and made, changed and removed by admins."""

from dataclasses import replace

import pytest
from api_tokens import make_token
from doc_blocks import read_doc
from inbound_deliveries import from_postmark
from inbound_scene import BASIC, InboundCalls
from sender_scene import SECRET
from sqlalchemy import select

from flaskllm.core.auth import Actor, Scope
from flaskllm.core.config import ConfigError
from flaskllm.inputs.senders.catalogue import SENDERS
from flaskllm.services.inbound.terms import terms_of, to_json
from flaskllm.storage.api_tokens import Noted
from flaskllm.storage.inbound import InboundChange
from flaskllm.storage.tables import audit

INBOUND = "/api/v1/inbound"
POSTMARK = {"name": "Desk", "sender": "postmark", **BASIC}
TALK = "Ben: I will send the offer by Friday."
IN_FILE = """
api_token: Zq7vT3mKd9ZsW5bX2cRf8gHj4nLpQ6tY
inbound:
  desk:
    sender: postmark
    username: support
    password: pass-4f1c09ab37d2
    digest: {type: keywords}
"""


@pytest.fixture
def office(make_gateway):
    calls = InboundCalls(make_gateway())
    calls.admin = calls.gateway.make_token(Scope.ADMIN)
    return calls


def ask(office, method, path="", body=None, token=None):
    return office.call(method, f"{INBOUND}{path}", body, token=token or office.admin)


def made(office, **fields):
    reply = ask(office, "POST", body={**POSTMARK, **fields})
    assert reply.status_code == 201, reply.text
    return reply.json["data"]


class TestAdmins:
    def test_what_an_admin_makes_takes_deliveries_at_once(self, office):
        payer = make_token(office.services.api_tokens, Scope.WEBHOOK)

        shown = made(office, api_token=payer.id, digest={"type": "keywords"})
        reply = office.deliver(from_postmark(), path=shown["address"])
        office.worker.work()

        assert reply.status_code == 200, reply.text
        job = f"/api/v1/jobs/{reply.json['data']['job']}"
        assert office.get(job, token=payer.text).json["data"]["type"] == "keywords"
        assert office.get(job).status_code == 404

    def test_the_secrets_are_sealed_and_never_shown(self, office):
        shown = made(office, callback_url="https://hooks.example.org/x?key=HIDDEN")

        replies = [ask(office, "GET"), ask(office, "GET", f"/{shown['id']}")]
        with office.services.database.reading() as connection:
            row = connection.exec_driver_sql("SELECT * FROM inbound_endpoints").one()
            rows = connection.execute(select(audit.c.details)).scalars().all()

        told = f"{shown} {[each.text for each in replies]} {row} {rows}"
        assert BASIC["password"] not in told + office.gateway.log
        assert "HIDDEN" not in told + office.gateway.log
        assert shown["secrets"] == ["password"]
        assert shown["callback_host"] == "hooks.example.org"

    def test_it_is_changed_disabled_and_removed_with_audit_rows(self, office):
        shown = made(office, recipients=["Desk@in.example.org"])
        path = f"/{shown['id']}"

        changed = ask(office, "PATCH", path, {"name": "New", "recipients": None}).json[
            "data"
        ]
        same = ask(office, "PATCH", path, {"name": "New"}).status_code
        off = ask(office, "PATCH", path, {"state": "disabled"}).json["data"]
        refused = office.deliver(from_postmark(), path=shown["address"]).status_code
        removed = ask(office, "DELETE", path)

        assert (changed["name"], changed["recipients"]) == ("New", [])
        assert (same, off["state"], refused, removed.status_code) == (
            200,
            "disabled",
            404,
            200,
        )
        assert ask(office, "GET", path).status_code == 404
        assert ask(office, "PATCH", path, {"name": "x"}).status_code == 404
        with office.services.database.reading() as connection:
            actions = select(audit.c.action).where(audit.c.object_id == shown["id"])
            assert connection.execute(actions).scalars().all() == [
                "inbound.create",
                "inbound.update",
                "inbound.update",
                "inbound.remove",
            ]

    @pytest.mark.parametrize(
        ("fields", "path"),
        [
            ({"password": None}, "password"),
            ({"password": "short"}, "password"),
            ({"username": "a:b"}, "username"),
            ({"sender": "zoom"}, "secret"),
            ({"sender": "ses"}, "topics"),
            ({"sender": "graph", "secret": "short"}, "secret"),
            ({"topics": ["arn:x"]}, "topics"),
            ({"mapping": {"content": "$.a"}}, "mapping"),
            (
                {"sender": "generic", "secret": SECRET, "mapping": {"a": "$.a"}},
                "mapping.a",
            ),
            ({"api_key": "x"}, "api_key"),
            ({"api_token": "000000000000"}, "api_token"),
            ({"digest": {"type": "classification"}}, "digest.variables.labels"),
            ({"digest": {"template": "nowhere"}}, "digest.template"),
            ({"digest": {"model": "nowhere"}}, "digest.model"),
            ({"digest": {"source": "email"}}, "digest.source"),
            ({"digest": {"on_sensitive": "lokal"}}, "digest.on_sensitive"),
            ({"digest": {"redact": "perhaps"}}, "digest.redact"),
            ({"sender": "fathom", "secret": SECRET}, "secret"),
            ({"callback_url": "http://10.0.0.1/x"}, "callback_url"),
            ({"endpoint": "end_nobody"}, "endpoint"),
            ({"name": " "}, "name"),
            ({"sender": "pigeon"}, "sender"),
            ({"colour": "red"}, "colour"),
        ],
    )
    def test_what_cannot_work_is_refused_by_its_field(self, office, fields, path):
        reply = ask(office, "POST", body={**POSTMARK, **fields})

        assert reply.status_code == 400, reply.text
        assert path in [each["path"] for each in reply.json["fields"]]
        assert ask(office, "GET").json["data"] == []

    def test_an_api_token_that_may_not_digest_does_not_pay(self, office):
        reader = make_token(office.services.api_tokens, Scope.READ)

        reply = ask(office, "POST", body={**POSTMARK, "api_token": reader.id})

        assert (reply.status_code, reply.json["fields"][0]["path"]) == (
            400,
            "api_token",
        )

    def test_a_change_that_cannot_work_changes_nothing(self, office):
        shown = made(office)

        reply = ask(office, "PATCH", f"/{shown['id']}", {"password": None})

        assert reply.status_code == 400
        assert ask(office, "GET", f"/{shown['id']}").json["data"] == shown

    def test_one_that_would_be_refused_now_is_renamed_disabled_and_mended(self, office):
        """Its terms were stored by an older program, which took more."""
        shown = made(office)
        rows = office.services.inbound.endpoints.rows
        kept = rows.find(shown["id"])
        odd = to_json(terms_of({**BASIC, "secret": SECRET}))
        noted = Noted("inbound.update", Actor("an-admin"), kept.created_at, {})
        rows.change(
            kept.id, lambda row, _: InboundChange(replace(row, terms=odd), noted)
        )

        def change(**fields):
            return ask(office, "PATCH", f"/{kept.id}", fields).status_code

        assert change(name="Old desk") == 200
        assert change(recipients=["a@x.example"]) == 400
        assert change(state="disabled") == 200
        assert change(state="enabled") == 400
        assert change(state="enabled", secret=None) == 200

    def test_one_whose_api_token_was_revoked_is_disabled(self, office):
        payer = make_token(office.services.api_tokens, Scope.WEBHOOK)
        path = f"/{made(office, api_token=payer.id)['id']}"
        office.services.api_tokens.revoke(payer.id, actor=Actor("an-admin"))

        assert ask(office, "PATCH", path, {"callback_url": None}).status_code == 200
        assert ask(office, "PATCH", path, {"state": "disabled"}).status_code == 200
        assert ask(office, "PATCH", path, {"state": "enabled"}).status_code == 400

    def test_who_is_no_admin_sees_nothing(self, office):
        shown = made(office)

        calls = [("GET", ""), ("POST", ""), ("GET", f"/{shown['id']}")]
        answers = {ask(office, *each, token=office.token).status_code for each in calls}

        assert answers == {403}

    def test_the_most_is_a_conflict(self, office, monkeypatch):
        monkeypatch.setattr("flaskllm.services.inbound.endpoints.MOST_ENDPOINTS", 1)
        made(office)

        assert ask(office, "POST", body=POSTMARK).status_code == 409


class TestFile:
    def test_what_the_file_says_takes_deliveries_for_the_bootstrap_token(
        self, make_gateway
    ):
        office = InboundCalls(make_gateway(IN_FILE))
        token = "Zq7vT3mKd9ZsW5bX2cRf8gHj4nLpQ6tY"

        reply = office.deliver(from_postmark())
        office.worker.work()

        assert reply.status_code == 200, reply.text
        job = f"/api/v1/jobs/{reply.json['data']['job']}"
        assert office.get(job, token=token).json["data"]["type"] == "keywords"
        (shown,) = office.get(INBOUND, token=token).json["data"]
        assert (shown["origin"], shown["api_token"]) == ("file", "bootstrap")
        for method in ("PATCH", "DELETE"):
            body = {"name": "x"} if method == "PATCH" else None
            refused = office.call(method, f"{INBOUND}/desk", body, token=token)
            assert refused.status_code == 409, refused.text
        assert BASIC["password"] not in office.gateway.log

    @pytest.mark.parametrize(
        ("endpoint", "path"),
        [
            ("{sender: postmark, username: u}", "password"),
            ("{sender: zoom}", "secret"),
            (f"{{sender: sendgrid, secret: {SECRET}}}", "secret"),
            ("{sender: zoom, secret: s}", "api_token"),
            (f"{{sender: zoom, secret: {SECRET}, topics: [x]}}", "topics"),
            (
                f"{{sender: zoom, secret: {SECRET}, digest: {{type: sumary}}}}",
                "digest.type",
            ),
            (
                f"{{sender: zoom, secret: {SECRET}, digest: {{type: custom}}}}",
                "digest.variables.schema",
            ),
            (
                f"{{sender: zoom, secret: {SECRET}, callback_url: 'http://x.example'}}",
                "callback_url",
            ),
        ],
    )
    def test_what_cannot_work_stops_the_start_and_is_named(
        self, make_gateway, endpoint, path
    ):
        with pytest.raises(ConfigError) as refused:
            make_gateway(f"inbound:\n  desk: {endpoint}\n")

        paths = [each.path for each in refused.value.problems]
        assert f"inbound.desk.{path}" in paths

    @pytest.mark.parametrize(
        ("text", "nearest"),
        [
            ("inbound: {desk: {sender: zom, secret: s}}", "zoom"),
            ("inbound: {desk: {sender: zoom, secrt: s}}", "secret"),
            ("inbound: {inb_1: {sender: zoom, secret: s}}", ""),
            ("inbound: {a/b: {sender: zoom, secret: s}}", ""),
        ],
    )
    def test_what_is_mistyped_is_named_with_the_nearest(
        self, make_gateway, text, nearest
    ):
        with pytest.raises(ConfigError) as refused:
            make_gateway(text)

        assert nearest in [each.nearest for each in refused.value.problems]


def test_the_table_of_answers_is_what_the_senders_hear():
    rows = [line for line in read_doc("docs/inbound.md").splitlines() if "| `" in line]
    cells = [[each.strip(" `") for each in row.strip("|").split("|")] for row in rows]
    listed = {row[0]: row[1:] for row in cells if len(row) == 9}

    names = ("taken", "unproven", "stale", "malformed", "unwanted", "unknown")
    assert listed == {
        name: [
            str(getattr(sender.statuses, each))
            for each in (*names, "too_large", "later")
        ]
        for name, sender in SENDERS.items()
    }
