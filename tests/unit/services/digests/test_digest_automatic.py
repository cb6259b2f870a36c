"""A machine's mail is told as such; no model is asked unless the order says so."""

import pytest
from digest_fakes import ScriptedRouter
from digest_orders import MAIL, TRUTH, codes, make, order

from flaskllm.services.digests.automatic import NOBODY

REPLY = MAIL.replace(b"Subject:", b"Auto-Submitted: auto-replied\nSubject:")
BOUNCE = b"From: MAILER-DAEMON@x.example\nSubject: x\n\nNot delivered."
RECEIPT = (
    b"From: a@x.example\n"
    b"Content-Type: multipart/report; report-type=disposition-notification\n\nRead."
)


@pytest.mark.parametrize(
    ("content", "language", "short"),
    [
        (REPLY, None, "Automatic reply; not digested."),
        (REPLY, "fr", "Réponse automatique ; non analysée."),
        (REPLY, "it", "Automatic reply; not digested."),
        (BOUNCE, "de",
         "Eine E-Mail war unzustellbar; diese Meldung wurde nicht ausgewertet."),
        (RECEIPT, "en", "Read receipt; not digested."),
    ],
)  # fmt: skip
def test_a_machines_mail_is_one_sentence_without_a_model(content, language, short):
    router = ScriptedRouter()

    result = make(router, order(content=content, language=language))

    assert router.requests == []
    assert (result.text, result.digest.summary.short) == (short, short)
    assert "automatic_mail_not_digested" in codes(result)
    assert (result.provider, result.usage.tokens_input, result.degraded) == (
        NOBODY, 0, False,
    )  # fmt: skip
    assert result.digest.language == (language if language in ("fr", "de") else "en")


@pytest.mark.parametrize("kind", TRUTH)
def test_the_same_holds_for_every_type(kind):
    wanted, _ = TRUTH[kind]

    result = make(ScriptedRouter(), order(kind, content=REPLY, **wanted))

    assert result.type == kind
    assert result.text == ("null" if kind == "custom" else result.digest.summary.short)


def test_as_json_it_is_the_digest():
    result = make(ScriptedRouter(), order(content=REPLY, response_format="json"))

    assert '"short": "Automatic reply; not digested."' in result.text


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (REPLY, {"automatic": "digest"}),
        (MAIL.replace(b"Subject:", b"Auto-Submitted: auto-generated\nSubject:"), {}),
        (MAIL, {}),
    ],
)
def test_other_mail_is_digested_and_so_is_what_the_order_says(content, wanted):
    router = ScriptedRouter(*TRUTH["summary"][1])

    result = make(router, order(content=content, **wanted))

    assert len(router.requests) == 2
    assert "automatic_mail_not_digested" not in codes(result)


def test_days_count_from_the_mails_date_in_the_senders_zone():
    # In universal time it is still Sunday; where the sender sits it is Monday.
    mail = MAIL.replace(b"05 Oct 2026 09:00:00 +0200", b"05 Oct 2026 06:00:00 +0900")
    mail = mail.replace(b"by Friday, 9 October.", b"by tomorrow, please.")
    evidence = {"quote": "Please pay it by tomorrow, please.", "part": "p1"}
    item = {"task": "Pay", "due_text": "tomorrow", "evidence": evidence}
    router = ScriptedRouter({"action_items": [item]})

    result = make(router, order("action_items", content=mail))

    assert [found.due for found in result.digest.action_items] == ["2026-10-06"]
