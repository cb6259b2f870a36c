"""What the standard library fails on: the mails of the samples, one by one."""

import pytest

from flaskllm.inputs.email import parse_mail

READ = {
    "charset-x-unknown.eml": ("Test test. Hi. Waving.", {"charset_unknown"}),
    "charset-euc-kr.eml": ("제 이름은 Jamis입니다.", set()),
    "charset-shift-jis.eml": ("このメールはテスト用のメールです。", set()),
    "bilingual-en-ru.eml": ("", set()),
    "format-flowed-delsp.eml": ("We should have access, and apparently did", set()),
    "headers-message-id-brackets.eml": ("The Message-ID format is specified", set()),
    "headers-raw-utf8.eml": ("Säying Hello", set()),
    "headers-huge-to.eml": ("Message Body", {"header_cut", "addresses_unreadable"}),
    "malformed-false-multipart.eml": (
        "Broken MIME", {"multipart_without_parts", "no_text_found"},
    ),
    "malformed-boundary-missing-es.eml": (
        "Recibo de Luz", {"charset_guessed", "hidden_text_removed"},
    ),
    "malformed-unknown-maintype.eml": ("Search me, and Find me here", set()),
    "nested-multipart-60.eml": ("the meeting is on 3 July 2026", set()),
    "forward-chain-it.eml": ("Test headers", {"header_broken"}),
    "smime-signed.eml": ("a pöstal sign of our times", set()),
    "winmail-koi8r.eml": ("шостий", {"tnef_ignored"}),
    "html-only-inline-image.eml": ("Test of HTML section", set()),
    "attachment-pdf-emoji-subject.eml": ("", {"attachments_ignored"}),
}  # fmt: skip


@pytest.mark.parametrize(("name", "read"), READ.items(), ids=READ)
def test_a_broken_mail_is_read_and_its_defects_are_told(samples, name, read):
    text, codes = read

    document = parse_mail((samples / "email" / name).read_bytes(), field_name="x")

    assert text in document.text()
    assert {notice.code for notice in document.warnings} == codes
    assert document.form == "mail"


def test_an_attached_mail_of_a_list_names_who_wrote_it(samples):
    raw = (samples / "email" / "mailing-list-forward.eml").read_bytes()

    document = parse_mail(raw, field_name="x")

    assert document.headers["forwarded-from"] == "Richard Mangi <mangi@moondog.pvi>"
    assert [notice.code for notice in document.warnings] == ["mailing_list_mail"]


def test_answers_in_colour_are_new_and_the_questions_are_not(samples):
    raw = (samples / "email" / "planted-html-inline-answers-de.eml").read_bytes()

    kinds = {
        line: part.kind
        for part in parse_mail(raw, field_name="x").parts
        for line in part.text.splitlines()
    }

    assert kinds["Nein, er steigt auf 8.950 EUR netto."] == "body"
    assert kinds["2. Ist der Preis von 8.400 EUR noch aktuell?"] == "quoted"
