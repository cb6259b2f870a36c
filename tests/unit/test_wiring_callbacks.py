"""Callbacks as the settings want them, over the real way out."""

import pytest
from callback_scene import ACTOR, OWNER, FakeWorkflows
from fakes import FakeClock, status
from standardwebhooks.webhooks import Webhook

from flaskllm.core.clock import SystemClock
from flaskllm.core.config import ConfigError, load
from flaskllm.core.errors import InvalidInputError, JobsDisabled
from flaskllm.core.redaction import Redactor
from flaskllm.services.callbacks.endpoints import NewEndpoint
from flaskllm.wiring.callbacks import build_callbacks, build_mailer, recipients_of
from flaskllm.wiring.egress import build_egress
from flaskllm.wiring.ground import lay_ground

MAIL = "mail: {smtp_host: mail.example.org, sender: 'flaskllm <digests@example.org>'}\n"
TO_MAIL = NewEndpoint("Team", ("job.done",), "email", email="team@example.org")


@pytest.fixture
def build(tmp_path):
    """Return what makes callbacks from settings; their database is a file."""
    grounds = []

    def made(text="", clock=None):
        (tmp_path / "flaskllm.yaml").write_text(text)
        settings = load({}, tmp_path).settings
        ground = lay_ground(
            settings.model_copy(update={"data_dir": tmp_path / "data"}),
            clock or FakeClock(),
            Redactor(),
        )
        grounds.append(ground)
        workflows = FakeWorkflows(is_enabled=settings.jobs.enabled)
        egress = build_egress(settings, ground.clock)
        return build_callbacks(ground, egress, workflows)

    yield made
    for ground in grounds:
        ground.database.close()


def test_a_signed_body_arrives_at_a_receiver_that_verifies_it(build, upstream):
    callbacks = build(
        "callbacks: {allow_http: true, allowed_networks: [127.0.0.0/8], "
        f"allowed_ports: [{upstream.port}]}}\n",
        SystemClock(),
    )
    upstream.script(status(204))
    wanted = NewEndpoint("Team", ("job.done",), url=f"{upstream.url}/in?key=1")
    made, secret = callbacks.endpoints.create(wanted, OWNER, ACTOR)
    id = callbacks.endpoints.test(made.id, OWNER)

    callbacks.deliveries.attempt(id, 1)

    (request,) = upstream.requests
    assert request.path == "/in?key=1"
    told = Webhook(secret).verify(request.body, dict(request.headers))
    assert told["type"] == "endpoint.test"
    assert callbacks.deliveries.find(id, OWNER).state == "delivered"


def test_an_address_inside_is_refused_when_it_is_registered(build):
    wanted = NewEndpoint("Team", ("job.done",), url="https://10.0.0.1/")

    with pytest.raises(InvalidInputError, match="not valid"):
        build().endpoints.create(wanted, OWNER, ACTOR)


def test_mail_goes_out_only_where_a_mail_server_is_set(build):
    made, _ = build(MAIL).endpoints.create(TO_MAIL, OWNER, ACTOR)

    assert made.email == "team@example.org"
    with pytest.raises(InvalidInputError):
        build().endpoints.create(TO_MAIL, OWNER, ACTOR)


@pytest.mark.parametrize(
    ("setting", "address", "is_allowed"),
    [
        ("", "a@Example.org", True),
        ("", "a@example.com", False),
        ("[example.com]", "a@example.com", True),
        ("[example.com]", "a@example.org", False),
        ("[Boss@Example.com]", "boss@example.com", True),
        ("['*']", "a@anywhere.example", True),
    ],
)
def test_mail_goes_to_the_domain_of_its_sender_unless_others_are_set(
    tmp_path, setting, address, is_allowed
):
    said = MAIL.replace("}", f", allowed_domains: {setting}}}") if setting else MAIL
    (tmp_path / "flaskllm.yaml").write_text(said)

    recipients = recipients_of(load({}, tmp_path).settings.mail)

    assert recipients.allow(address) is is_allowed


@pytest.mark.parametrize("wrong", ["a b", "'@example.org'", "a@b@example.org", "org"])
def test_what_is_no_domain_and_no_address_stops_the_start(tmp_path, wrong):
    text = MAIL.replace("}", f", allowed_domains: [{wrong}]}}")
    (tmp_path / "flaskllm.yaml").write_text(text)

    with pytest.raises(ConfigError) as caught:
        load({}, tmp_path)

    assert "mail.allowed_domains" in str(caught.value)


def test_nothing_is_tried_where_jobs_are_off(build):
    callbacks = build("jobs: {enabled: false}\n")
    wanted = NewEndpoint("Team", ("job.done",), url="https://hooks.example.org/")
    made, _ = callbacks.endpoints.create(wanted, OWNER, ACTOR)

    with pytest.raises(JobsDisabled):
        callbacks.endpoints.test(made.id, OWNER)
    with pytest.raises(JobsDisabled):
        callbacks.deliveries.replay("msg_1", OWNER)


def test_a_sender_that_is_no_address_stops_the_start(tmp_path):
    (tmp_path / "flaskllm.yaml").write_text(
        "mail: {smtp_host: mail.example.org, sender: 'the gateway'}\n"
    )

    with pytest.raises(ConfigError) as caught:
        build_mailer(load({}, tmp_path).settings)

    assert "mail.sender" in str(caught.value)


def test_the_mail_server_is_asked_as_the_settings_say(tmp_path):
    (tmp_path / "flaskllm.yaml").write_text(MAIL)

    mailer = build_mailer(load({}, tmp_path).settings)

    assert mailer is not None
    assert mailer.sender == "flaskllm <digests@example.org>"
