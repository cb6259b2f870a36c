"""What is new in a mail, what is quoted and what is signature."""

import pytest

from flaskllm.inputs.document import Origin, Part
from flaskllm.inputs.html import read_html
from flaskllm.inputs.parts import promote, to_parts
from flaskllm.inputs.quotes import MAX_BLOCKS, split
from flaskllm.inputs.text import Line, join, read_lines

INLINE = """On Dec 15, 2024, at 2:00 PM, Jane Doe <jane@example.com> wrote:
> What about A?

A is great.

> What about B?

B has drawbacks.
"""

TOP_POSTED = """New text.

--
Ann Lee
Acme

On Tue, 2 Jun 2026 at 16:40, Bob <bob@example.com> wrote:
> Please print
> it twice.
>
> On Mon, 1 Jun 2026 at 09:05, Ann <ann@example.com> wrote:
>> First mail.
"""

OUTLOOK = """New text.

From: Bob <bob@example.com>
Sent: Tuesday, 2 June 2026 16:40
To: Ann
Subject: Delivery

Old text.

From: Ann
Date: 1 June
To: Bob
Subject: Delivery

Oldest text.
"""

FORWARD = """See below.

---------- Forwarded message ---------
From: Bob <bob@example.com>
Date: Tue, 2 Jun 2026
Subject: Delivery
To: Ann

Forwarded text.

On Mon, 1 Jun 2026 at 09:05, Ann <ann@example.com> wrote:
> Old text.
"""


def blocks(text, **options):
    found = split(read_lines(text).lines, **options)
    return [(block.kind, join(block.lines)) for block in found]


def kinds(text, **options):
    return [kind for kind, _ in blocks(text, **options)]


def test_answers_between_quoted_lines_are_new_text():
    assert [text for kind, text in blocks(INLINE) if kind == "body"] == [
        "A is great.",
        "B has drawbacks.",
    ]


def test_a_top_posted_mail_has_each_earlier_mail_as_a_block():
    assert blocks(TOP_POSTED) == [
        ("body", "New text."),
        ("signature", "--\nAnn Lee\nAcme"),
        (
            "quoted",
            "On Tue, 2 Jun 2026 at 16:40, Bob <bob@example.com> wrote:\n"
            "Please print\nit twice.",
        ),
        (
            "quoted",
            "On Mon, 1 Jun 2026 at 09:05, Ann <ann@example.com> wrote:\nFirst mail.",
        ),
    ]


def test_below_a_header_block_everything_is_quoted():
    assert kinds(OUTLOOK) == ["body", "quoted", "quoted"]
    assert blocks(OUTLOOK)[2][1].endswith("Oldest text.")


def test_a_forwarded_message_is_content():
    found = blocks(FORWARD)

    assert [kind for kind, _ in found] == ["body", "body", "quoted"]
    assert found[1][1].endswith("Forwarded text.")


@pytest.mark.parametrize(
    "text",
    ["See.\n---------- Forwarded message ---------", "-----Original Message-----"],
)
def test_a_mark_may_be_the_last_line(text):
    assert blocks(text)[-1][1] == text.splitlines()[-1]


def test_the_subject_of_a_forward_makes_the_first_header_block_content():
    assert kinds(OUTLOOK, is_forward=True) == ["body", "body", "quoted"]


def test_a_signature_above_a_forwarded_header_stays_a_signature():
    text = "See below.\n-- \nAnn\n" + OUTLOOK.partition("\n\n")[2]

    assert kinds(text, is_forward=True) == ["body", "signature", "body", "quoted"]


@pytest.mark.parametrize(
    "mark",
    [
        "-----Original Message-----",
        "-----Ursprüngliche Nachricht-----",
        "------------------ 原始邮件 ------------------",
        "-------- Message d'origine --------",
    ],
)
def test_a_mark_of_the_original_begins_history(mark):
    assert kinds(f"New.\n\n{mark}\n\nOld.\n") == ["body", "quoted"]


@pytest.mark.parametrize(
    "mark",
    [
        "---------- Forwarded message ---------",
        "Begin forwarded message:",
        "-------- Weitergeleitete Nachricht --------",
        "---------- Messaggio inoltrato ----------",
    ],
)
def test_a_mark_of_a_forward_begins_content(mark):
    assert kinds(f"{mark}\n\nIt.\n") == ["body"]


@pytest.mark.parametrize(
    "line",
    [
        "On Tue, 2 Jun 2026 at 16:40, Bob <bob@example.com> wrote:",
        "On Tue, 2 Jun 2026 at 16:40, Bob\n<bob@example.com> wrote:",
        "Am 4. Mai 2026 um 11:20 schrieb Emre <e@example.org>:",
        "Le lun. 4 mai 2026 à 11:20, Bob <b@example.org> a écrit :",
        "El 4 may 2026, a las 11:20, Bob <b@example.org> escribió:",
        "Il giorno 4 mag 2026, alle 11:20, Bob <b@example.org> ha scritto:",
        "Den 4 maj 2026 kl. 11:20 skrev Bob <b@example.org>:",
        "Op 4 mei 2026 om 11:20 schreef Bob <b@example.org>:",
        "W dniu 4.05.2026 o 11:20, Bob <b@example.org> napisał(a):",
        "пн, 4 мая 2026 г. в 11:20, Bob <b@example.org>:",
        "2022年1月1日(金) 9:00 田中太郎 <taro@example.com>:",
        "2026-05-04 11:20, Bob <b@example.org> wrote：",
        "--- On Wed, 4/4/12, Bob <b@example.com> wrote:",
    ],
)
def test_a_line_that_says_who_wrote_begins_a_quote(line):
    assert kinds(f"New.\n\n{line}\n\nOld without a mark.\n") == ["body", "quoted"]


@pytest.mark.parametrize(
    "text",
    [
        "As she wrote on 3 May:\nwe agree.",
        "Please bring these 3 things:\nbread.",
        "From: Berlin\nTo: Munich\nDate: 3 May\nTwo seats.",
        "On Monday we met 3 people\nand wrote:\nnothing",
        "From: here\n\nsome\nmore\nlines\nTo: there",
        "Note: this\nTo: that",
        ">From here it goes on.",
        "On 3 May\n\nhe wrote:",
        "On 1 " + "very " * 100 + "long wrote:",
    ],
)
def test_ordinary_text_is_not_taken_for_a_quote(text):
    assert kinds(text) == ["body"]


def test_a_weak_attribution_counts_above_quoted_lines():
    assert blocks("As Bob wrote on 3 May:\n> yes\nI agree.") == [
        ("quoted", "As Bob wrote on 3 May:\nyes"),
        ("body", "I agree."),
    ]


def test_an_attribution_does_not_reach_into_the_quote():
    text = "On 3 May at 10:00 we met\n> and he wrote:\n"

    assert kinds(text) == ["body", "quoted"]


def test_a_header_inside_a_quote_ends_with_the_quote():
    quoted = "\n".join(f"> {line}" for line in OUTLOOK.splitlines())

    assert kinds(f"{quoted}\nMy answer.")[-1] == "body"


def test_text_below_a_quote_is_new_even_after_a_signature():
    assert kinds("New.\n-- \nAnn\n> old\nP.S. one more") == [
        "body",
        "signature",
        "quoted",
        "body",
    ]


def test_a_long_text_below_dashes_is_no_signature():
    text = "Above.\n--\n" + "A line of text.\n" * 60

    assert kinds(text) == ["body", "body"]


def test_a_mail_that_alternates_too_often_ends_in_one_block():
    found = blocks("> a\nb\n" * 1000)

    assert len(found) == MAX_BLOCKS
    assert found[-1][0] == "body"


def html_blocks(source, **options):
    found = split(read_html(source).lines, **options)
    return [(block.kind, join(block.lines)) for block in found]


OUTLOOK_HTML = (
    "<p>My answers are in red.</p><div style='border:none;border-top:solid #E1E1E1 "
    "1.0pt;padding:3.0pt 0cm 0cm 0cm'><p><b>Von:</b> Bob<br><b>Gesendet:</b> 4. Mai"
    "<br><b>An:</b> Ann<br><b>Betreff:</b> Punkte</p></div>"
)


def test_coloured_answers_inside_a_quote_are_new_text():
    source = OUTLOOK_HTML + (
        "<ol><li>When does it come?<br><span style='color:#C00000'>On 6 May.</span>"
        "</li><li>How much? <span style='color:#C00000'>8,950 EUR.</span></li></ol>"
    )

    assert [text for kind, text in html_blocks(source) if kind == "body"] == [
        "My answers are in red.",
        "On 6 May.",
        "8,950 EUR.",
    ]


def test_a_quote_that_is_coloured_throughout_has_no_answers():
    source = OUTLOOK_HTML + "<p style='color:#1F497D'>All of it is blue. " + "x" * 200

    assert [kind for kind, _ in html_blocks(source)] == ["body", "quoted"]


def test_a_header_in_an_unknown_language_is_known_by_its_markup():
    source = "<p>New.</p><div id=divRplyFwdMsg>Zzz: Bob</div><p>Old.</p>"

    assert html_blocks(source) == [("body", "New."), ("quoted", "Zzz: Bob\n\nOld.")]


def test_an_answer_between_block_quotes_is_new_text():
    source = (
        "<div class=gmail_quote><div class=gmail_attr>On Tue, 2 Jun 2026 at 16:40, Bob "
        "&lt;b@example.org&gt; wrote:</div><blockquote>A?</blockquote><div>Yes.</div>"
        "<blockquote>B?</blockquote></div>"
    )

    assert [kind for kind, _ in html_blocks(source)] == ["quoted", "body", "quoted"]


def test_a_forward_inside_a_block_quote_is_content():
    source = (
        "<p>See.</p><blockquote type=cite><div>Begin forwarded message:</div>"
        "<div>From: Bob<br>Subject: x<br>Date: 3 May<br>To: Ann</div><p>It.</p>"
        "</blockquote>"
    )

    assert [kind for kind, _ in html_blocks(source)] == ["body", "body"]


def test_a_marked_signature_is_a_signature():
    source = "<p>New.</p><div class=gmail_signature>Ann<br>Acme</div>"

    assert html_blocks(source)[1] == ("signature", "Ann\nAcme")


def test_parts_are_numbered_and_know_their_place():
    parts = to_parts(split(read_lines("New.\n> old").lines), "1.2", first=3)

    assert [(part.id, part.origin) for part in parts] == [
        ("p3", Origin("1.2", 0, 4)),
        ("p4", Origin("1.2", 5, 10)),
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["body", "quoted"], ["body", "quoted"]),
        (["quoted", "signature"], ["body", "signature"]),
        (["signature"], ["body"]),
        ([], []),
    ],
)
def test_something_is_content_when_anything_can_be(before, after):
    parts = [Part("p", kind, "x", Origin("", 0, 1)) for kind in before]

    assert [part.kind for part in promote(parts)] == after


def test_a_line_that_continues_an_answer_stays_with_it():
    lines = [
        Line("From: Bob", 0, 1, "header"),
        Line("Is it? ", 1, 2),
        Line("Yes.", 2, 3, colour="#ff0000", continues=True),
    ]

    assert [block.kind for block in split(lines)] == ["quoted", "body"]
