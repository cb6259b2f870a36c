"""Mail goes to the operator's server; what fails has a word of ours."""

import socket
from email.message import EmailMessage

import pytest
from certificates import Certificate
from mail_server import MailServer as Server

from flaskllm.net.mail import Mailer, MailFailed, MailServer

SENDER = "flaskllm <digests@example.org>"
RECIPIENT = "team@example.com"
SECRET_TEXT = "550 5.1.1 text of the server with a secret"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return Certificate(tmp_path_factory.mktemp("certificate"))


def mail() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = SENDER, RECIPIENT
    message["Subject"] = "Grüße"
    message.set_content("Guten Tag\n.\nEnde\n", cte="quoted-printable")
    return message


def mailer(port, security="none", *, seconds=5.0, **others) -> Mailer:
    server = MailServer("127.0.0.1", port, security, SENDER, **others)
    return Mailer(server, step_seconds=seconds)


def failure(port, security="none", **others) -> MailFailed:
    with pytest.raises(MailFailed) as failed:
        mailer(port, security, **others).send(mail(), RECIPIENT)
    return failed.value


def test_a_mail_arrives_as_it_was_written():
    with Server() as server:
        status = mailer(server.port).send(mail(), RECIPIENT)

    (taken,) = server.taken
    assert status == 250
    assert (taken.sender, taken.recipients) == ("digests@example.org", [RECIPIENT])
    assert taken.mail["Subject"] == "Grüße"
    assert taken.mail.get_content().splitlines() == ["Guten Tag", ".", "Ende"]
    assert taken.signed_in is None


def test_with_starttls_nothing_is_said_before_it_is_secret(certificate):
    with Server(certificate.server) as server:
        mailer(
            server.port,
            "starttls",
            username="me",
            password="pass",
            ca_bundle=str(certificate.path),
        ).send(mail(), RECIPIENT)

    (taken,) = server.taken
    assert taken.is_encrypted
    assert taken.signed_in == "me:pass"
    assert server.verbs[:2] == ["EHLO", "STARTTLS"]


def test_tls_from_the_first_byte(certificate):
    with Server(certificate.server, is_tls_from_the_start=True) as server:
        mailer(server.port, "tls", ca_bundle=str(certificate.path)).send(
            mail(), RECIPIENT
        )

    assert server.taken[0].is_encrypted


def test_a_server_that_offers_no_tls_gets_nothing():
    with Server() as server:
        failed = failure(server.port, "starttls", username="me", password="pass")

    assert failed.reason == "mail_not_supported"
    assert not {"AUTH", "MAIL"} & set(server.verbs)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_is_not_accepted(certificate, security):
    at_once = security == "tls"
    with Server(certificate.server, is_tls_from_the_start=at_once) as server:
        failed = failure(server.port, security)

    assert failed.reason == "certificate_rejected"
    assert server.taken == []


@pytest.mark.parametrize(
    ("verb", "reply", "reason", "status"),
    [
        ("MAIL", SECRET_TEXT, "mail_sender_refused", 550),
        ("RCPT", SECRET_TEXT, "mail_recipient_refused", 550),
        ("DATA", "451 later", "mail_refused", 451),
        (".", "554 spam", "mail_refused", 554),
        ("AUTH", "535 no", "mail_sign_in_refused", 535),
        ("HELLO", "421 busy", "mail_refused", 421),
        ("MAIL", "", "connection_failed", None),
        (".", "", "connection_failed", None),
    ],
)
def test_a_refusal_has_a_word_and_a_status_and_no_text(verb, reply, reason, status):
    with Server(replies={verb: reply}) as server:
        failed = failure(server.port, username="me", password="pass")

    assert (failed.reason, failed.status) == (reason, status)
    assert str(failed) == reason
    assert server.taken == []


@pytest.mark.parametrize("reply", ["421 closing", "", "?"])
def test_a_mail_that_was_taken_is_sent_however_the_server_parts(reply):
    with Server(replies={"QUIT": reply}) as server:
        assert mailer(server.port).send(mail(), RECIPIENT) == 250

    assert len(server.taken) == 1


def test_a_server_that_never_answers_is_given_up():
    with Server(replies={"HELLO": None}) as server:
        assert failure(server.port, seconds=0.1).reason == "timeout"


def test_tls_to_a_server_without_it_fails():
    with Server() as server:
        assert failure(server.port, "tls").reason == "tls_failed"


def test_nobody_there_is_a_failure():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    assert failure(port).reason == "connection_failed"


def test_a_name_that_leads_nowhere_is_a_failure():
    server = MailServer("mail.invalid", 25, "none", SENDER)

    with pytest.raises(MailFailed) as failed:
        Mailer(server).send(mail(), RECIPIENT)

    assert failed.value.reason == "name_not_found"


def test_a_password_is_never_shown():
    server = MailServer("h", 25, "none", SENDER, "me", "hunter2-hunter2")

    assert "hunter2" not in repr(server)
