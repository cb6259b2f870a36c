"""Where a request wants its end told is checked before anything is accepted."""

import pytest
from callback_scene import ACTOR, HOOK, OWNER
from delivery_scene import STRANGER, Office, refusal

from flaskllm.core.errors import InvalidInputError
from flaskllm.services.callbacks.planning import usual_id


class TestReceivers:
    def test_the_usual_endpoint_is_made_once_and_listed_without_a_url(self, each_scene):
        office = Office(each_scene)

        first = office.receivers.usual(OWNER, ACTOR)
        second = office.receivers.usual(OWNER, ACTOR)

        assert first == second
        assert first.id == usual_id(OWNER)
        assert (first.url, first.email, first.events) == (None, None, ())
        assert office.endpoints.list(OWNER) == (first,)
        assert len(office.scene.audited("endpoint.create")) == 1

    @pytest.mark.parametrize("changes", [{"url": HOOK}, {"events": ("job.done",)}])
    def test_the_usual_endpoint_leads_nowhere_and_listens_to_nothing(
        self, office, changes
    ):
        usual = office.receivers.usual(OWNER, ACTOR)
        change = office.endpoints.change

        (path,) = changes
        assert refusal(lambda: change(usual.id, OWNER, changes, ACTOR))[0] == path

    def test_a_callback_url_that_is_good_makes_the_usual_endpoint(self, office):
        office.receivers.check(OWNER, ACTOR, callback_url=HOOK)

        assert [each.id for each in office.endpoints.list(OWNER)] == [usual_id(OWNER)]

    def test_an_endpoint_of_one_s_own_may_be_named(self, office):
        made, _ = office.create()

        office.receivers.check(OWNER, ACTOR, endpoint_id=made.id)

        with pytest.raises(InvalidInputError, match="not valid"):
            office.receivers.check(STRANGER, ACTOR, endpoint_id=made.id)

    @pytest.mark.parametrize(
        ("asked", "path"),
        [
            ({"callback_url": "http://a.example/"}, "callback_url"),
            ({"callback_url": HOOK, "endpoint_id": "end_1"}, "endpoint"),
            ({"endpoint_id": "end_1"}, "endpoint"),
            ({"endpoint_id": "DROP TABLE"}, "endpoint"),
        ],
    )
    def test_a_wrong_one_is_named_before_anything_is_accepted(
        self, office, asked, path
    ):
        check = office.receivers.check

        assert refusal(lambda: check(OWNER, ACTOR, **asked))[0] == path
        assert office.endpoints.list(OWNER) == ()

    def test_a_disabled_one_is_refused(self, office):
        made, _ = office.create()
        usual = office.receivers.usual(OWNER, ACTOR)
        for id in (made.id, usual.id):
            office.endpoints.change(id, OWNER, {"state": "disabled"}, ACTOR)
        check = office.receivers.check

        assert (
            refusal(lambda: check(OWNER, ACTOR, endpoint_id=made.id))[0] == "endpoint"
        )
        told = refusal(lambda: check(OWNER, ACTOR, callback_url=HOOK))
        assert told[0] == "callback_url"
        assert "disabled" in told[1]
