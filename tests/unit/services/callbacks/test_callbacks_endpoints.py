"""Endpoints are their owners': made, changed, rolled, tried, removed, and audited."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from callback_scene import ACTOR, HOOK, NOW, OWNER
from delivery_scene import STRANGER, Office, refusal

from flaskllm.core.errors import Conflict, JobsDisabled, NotFound
from flaskllm.services.callbacks.endpoints import NewEndpoint
from flaskllm.services.callbacks.signing import key_of, make_secret


class TestMaking:
    def test_an_endpoint_is_made_with_a_secret_that_is_told_once(self, each_scene):
        office = Office(each_scene)

        made, secret = office.create(events=("batch.done", "job.done", "job.done"))

        assert office.endpoints.get(made.id, OWNER) == made
        assert made.url == HOOK
        assert made.events == ("job.done", "batch.done")
        assert (made.rendering, made.state) == ("json", "enabled")
        assert len(key_of(secret)) == 32
        assert secret not in repr(made)
        assert office.endpoints.list(OWNER) == (made,)

    def test_its_audit_row_names_the_host_and_no_secret_of_the_url(self, office):
        made, _ = office.create()

        ((object_id, details),) = office.scene.audited("endpoint.create")
        assert object_id == made.id
        assert details["host"] == "hooks.example.org"
        assert not any(each in str(details) for each in ("SECRET", "HIDDEN", "T0"))

    def test_a_mail_endpoint_leads_to_its_address(self, office):
        made, _ = office.create(rendering="email", url=None, email="team@example.com")

        assert (made.url, made.email) == (None, "team@example.com")
        assert office.scene.audited("endpoint.create")[0][1]["host"] == "example.com"

    def test_a_given_secret_is_taken(self, office):
        given = make_secret()

        assert office.create(secret=given)[1] == given

    @pytest.mark.parametrize(
        ("wrong", "path"),
        [
            ({"name": " "}, "name"),
            ({"name": "x" * 101}, "name"),
            ({"name": "a\x00b"}, "name"),
            ({"events": ()}, "events"),
            ({"events": ("job.begun",)}, "events"),
            ({"rendering": "xml"}, "rendering"),
            ({"url": None}, "url"),
            ({"url": "http://10.0.0.1/x"}, "url"),
            ({"email": "team@example.com"}, "email"),
            ({"secret": "whsec_short"}, "secret"),
            ({"rendering": "email"}, "url"),
            ({"rendering": "email", "url": None}, "email"),
            ({"rendering": "email", "url": None, "email": "a@other.example"}, "email"),
            ({"rendering": "email", "url": None, "email": "a@b"}, "email"),
            ({"rendering": "email", "url": None, "email": "ä@example.com"}, "email"),
            (
                {"rendering": "email", "url": None, "email": "a@x.org, b@x.org"},
                "email",
            ),
            (
                {"rendering": "email", "url": None, "email": "a@x.org\nBcc: b@x.org"},
                "email",
            ),
            (
                {"rendering": "email", "url": None, "email": "a" * 65 + "@x.org"},
                "email",
            ),
        ],
    )
    def test_what_is_wrong_is_named_and_nothing_is_made(self, office, wrong, path):
        assert refusal(lambda: office.create(**wrong))[0] == path
        assert office.endpoints.list(OWNER) == ()

    def test_a_url_that_may_not_be_called_says_why_and_the_mend(self, office):
        _, details = refusal(lambda: office.create(url="http://a.example/SECRET"))

        assert details == "url: the URL does not begin with https://; allowed: https"

    def test_mail_needs_the_operator_s_mail_server(self, office):
        wanted = NewEndpoint("Team", ("job.done",), "email", email="team@example.com")

        path, details = refusal(
            lambda: office.make(recipients=None).create(wanted, OWNER, ACTOR)
        )

        assert path == "rendering"
        assert "mail settings" in details

    def test_a_principal_has_twenty_at_most(self, each_scene):
        office = Office(each_scene)
        for _ in range(20):
            office.create()

        with pytest.raises(Conflict, match="conflicts"):
            office.create()
        wanted = NewEndpoint("Team", ("job.done",), url=HOOK)
        office.endpoints.create(wanted, STRANGER, ACTOR)

        assert len(office.endpoints.list(OWNER)) == 20


class TestOwnership:
    @pytest.mark.parametrize(
        "act",
        [
            pytest.param(lambda e, *w: e.get(*w), id="get"),
            pytest.param(lambda e, *w: e.secret(*w, ACTOR), id="secret"),
            pytest.param(lambda e, *w: e.change(*w, {"name": "x"}, ACTOR), id="change"),
            pytest.param(lambda e, *w: e.remove(*w, ACTOR), id="remove"),
            pytest.param(lambda e, *w: e.roll(*w, ACTOR), id="roll"),
            pytest.param(lambda e, *w: e.test(*w), id="test"),
        ],
    )
    def test_what_is_somebody_else_s_reads_as_never_made(self, office, act):
        made, secret = office.create()

        answers = []
        for id, principal in (
            (made.id, STRANGER),
            ("end_0000000000", OWNER),
            ("end_\x00", OWNER),
        ):
            with pytest.raises(NotFound) as refused:
                act(office.endpoints, id, principal)
            told = refused.value.message.replace(repr(id), "ID")
            answers.append((told, refused.value.details))
        assert len(set(answers)) == 1
        assert office.endpoints.get(made.id, OWNER) == made
        assert office.endpoints.secret(made.id, OWNER, ACTOR) == (secret,)


class TestChanging:
    def test_fields_that_are_given_change_and_others_stay(self, each_scene):
        office = Office(each_scene)
        made, _ = office.create()
        changes = {
            "name": "Ops",
            "url": "https://b.example/",
            "events": ("job.failed",),
        }

        changed = office.endpoints.change(made.id, OWNER, changes, ACTOR)

        assert (changed.name, changed.url) == ("Ops", "https://b.example/")
        assert changed.events == ("job.failed",)
        assert changed.created_at == made.created_at
        assert office.endpoints.get(made.id, OWNER) == changed
        assert office.scene.audited("endpoint.update")[0][1]["host"] == "b.example"

    def test_a_change_of_nothing_leaves_no_trace(self, office):
        made, _ = office.create()
        same = {"name": "Team", "url": HOOK, "state": "enabled"}

        assert office.endpoints.change(made.id, OWNER, same, ACTOR) == made
        assert office.scene.audited("endpoint.update") == []

    def test_a_mail_address_can_be_changed(self, office):
        made, _ = office.create(rendering="email", url=None, email="a@example.com")

        changed = office.endpoints.change(
            made.id, OWNER, {"email": "b@example.com"}, ACTOR
        )

        assert changed.email == "b@example.com"
        elsewhere = {"email": "b@other.example"}
        path, details = refusal(
            lambda: office.endpoints.change(made.id, OWNER, elsewhere, ACTOR)
        )
        assert (path, "mail.allowed_domains" in details) == ("email", True)

    def test_disabled_it_gets_nothing_and_enabled_all_is_forgotten(self, each_scene):
        office = Office(each_scene)
        scene = office.scene
        made, _ = office.create()
        (waiting,) = scene.tell()
        scene.way.answers = [500]
        scene.deliveries.attempt(waiting, 1)
        change = office.endpoints.change

        disabled = change(made.id, OWNER, {"state": "disabled"}, ACTOR)
        assert disabled.disabled_reason == "its owner disabled it"
        assert disabled.failing_since is not None
        assert scene.find(waiting).state == "cancelled"
        assert scene.tell() == []
        enabled = change(made.id, OWNER, {"state": "enabled"}, ACTOR)

        assert (enabled.disabled_reason, enabled.failing_since) == ("", None)
        assert len(scene.tell()) == 1

    @pytest.mark.parametrize(
        ("changes", "path"),
        [
            ({"rendering": "slack"}, "rendering"),
            ({"secret": "whsec_"}, "secret"),
            ({"colour": "red"}, "colour"),
            ({"name": ""}, "name"),
            ({"url": "ftp://a.example/"}, "url"),
            ({"email": "a@example.com"}, "email"),
            ({"events": ()}, "events"),
            ({"state": "gone"}, "state"),
        ],
    )
    def test_what_may_not_be_is_named_and_nothing_changes(self, office, changes, path):
        made, _ = office.create()
        change = office.endpoints.change
        both = {"name": "Ops", **changes}

        assert refusal(lambda: change(made.id, OWNER, both, ACTOR))[0] == path
        assert office.endpoints.get(made.id, OWNER) == made

    def test_a_removed_one_is_gone_and_so_is_what_waits_for_it(self, each_scene):
        office = Office(each_scene)
        made, _ = office.create()
        (waiting,) = office.scene.tell()

        office.endpoints.remove(made.id, OWNER, ACTOR)

        with pytest.raises(NotFound):
            office.endpoints.get(made.id, OWNER)
        assert office.scene.find(waiting).state == "cancelled"
        assert [id for id, _ in office.scene.audited("endpoint.remove")] == [made.id]


class TestSecrets:
    def test_to_look_at_a_secret_is_audited(self, office):
        made, secret = office.create()

        assert office.endpoints.secret(made.id, OWNER, ACTOR) == (secret,)
        ((id, details),) = office.scene.audited("endpoint.secret")
        assert id == made.id
        assert secret not in str(details)

    def test_rolled_both_sign_for_a_day(self, office):
        made, old = office.create()

        rolled, new = office.endpoints.roll(made.id, OWNER, ACTOR)

        secret = office.endpoints.secret
        assert rolled.previous_until == NOW + timedelta(days=1)
        assert secret(made.id, OWNER, ACTOR) == (new, old)
        office.scene.clock.advance(86_400)
        assert secret(made.id, OWNER, ACTOR) == (new,)
        assert office.endpoints.get(made.id, OWNER).previous_until is None

    def test_rolled_without_an_overlap_the_old_one_ends_at_once(self, office):
        made, _ = office.create()
        given = make_secret()

        _, new = office.endpoints.roll(
            made.id, OWNER, ACTOR, overlap_seconds=0, secret=given
        )

        assert new == given
        assert office.endpoints.secret(made.id, OWNER, ACTOR) == (given,)

    @pytest.mark.parametrize("seconds", [-1, 7 * 86_400 + 1])
    def test_an_overlap_lasts_a_week_at_most(self, office, seconds):
        made, _ = office.create()
        roll = office.endpoints.roll

        path, _ = refusal(lambda: roll(made.id, OWNER, ACTOR, overlap_seconds=seconds))

        assert path == "overlap_seconds"


class TestTrying:
    def test_a_test_is_an_ordinary_delivery(self, each_scene):
        office = Office(each_scene)
        made, _ = office.create()

        id = office.endpoints.test(made.id, OWNER)

        scene = office.scene
        assert scene.workflows.started[-1].arguments == (id, 1)
        scene.deliveries.attempt(id, 1)
        assert scene.find(id).event == "endpoint.test"
        assert scene.find(id).state == "delivered"

    def test_one_test_of_an_endpoint_is_pending_at_once(self, each_scene):
        office = Office(each_scene)
        made, other = office.create()[0], office.create()[0]
        office.scene.tell()
        id = office.endpoints.test(made.id, OWNER)

        with pytest.raises(Conflict) as refused:
            office.endpoints.test(made.id, OWNER)

        assert "is pending" in refused.value.details
        office.endpoints.test(other.id, OWNER)
        office.scene.deliveries.attempt(id, 1)
        assert office.endpoints.test(made.id, OWNER) != id

    def test_of_those_that_try_at_once_one_does(self, each_scene):
        office = Office(each_scene)
        made, _ = office.create()

        def attempt(_):
            try:
                return office.endpoints.test(made.id, OWNER)
            except Conflict:
                return None

        with ThreadPoolExecutor(4) as pool:
            told = [*pool.map(attempt, range(4))]

        assert told.count(None) == 3

    def test_one_that_leads_nowhere_cannot_be_tried(self, office):
        made, _ = office.create()
        usual = office.receivers.usual(OWNER, ACTOR)
        change = office.endpoints.change
        change(made.id, OWNER, {"state": "disabled"}, ACTOR)

        told = []
        for id in (made.id, usual.id):
            with pytest.raises(Conflict) as raised:
                office.endpoints.test(id, OWNER)
            told.append(raised.value.details)

        assert [each.partition(".")[0] for each in told] == [
            "It is disabled",
            "It has no address of its own: it signs what goes to the `callback_url` "
            "of requests",
        ]

    def test_nothing_is_sent_where_jobs_are_off(self, office):
        made, _ = office.create()

        with pytest.raises(JobsDisabled):
            office.make(sends=False).test(made.id, OWNER)
