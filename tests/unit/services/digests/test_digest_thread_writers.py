"""Who wrote what a thread knows: the sender, or whom the mail quotes."""

import pytest

from flaskllm.inputs.document import Document, Origin, Part, Person
from flaskllm.services.digests.thread_writers import writer_of
from flaskllm.services.digests.types import Evidence

SAID = "We will pay on Friday."
BEN = Person("Ben Ito", "ben@example.org", "from")
ANN = Person("Ann Lee", "ann@example.org", "to")
HEADER = "From: {}\nSent: Monday, 5 January 2026 09:00\nTo: Ben Ito\nSubject: Paint\n"


def writer(above, own="Fine.", people=(BEN,), kind="quoted"):
    text = f"{above}\n{SAID}" if above else SAID
    parts = [
        Part("p1", "body", own, Origin("1", 0, 0)),
        Part("p2", kind, text, Origin("1", 0, 0)),
    ]
    proof = Evidence(SAID, True, "p2", offset=text.index(SAID), length=len(SAID))
    return writer_of(proof, Document("email", tuple(parts), people), "Ben Ito")


@pytest.mark.parametrize(
    "above",
    [
        "Ann Lee wrote:",
        "On Mon, 5 Jan 2026 at 09:00, Ann Lee wrote:",
        "On Mon, 5 Jan 2026 at 09:00 AM Ann Lee <a@example.com> wrote:",
        "Am 05.01.2026 um 09:00 schrieb Ann Lee:",
        "Am 05.01.26 um 09:00 schrieb Ann Lee <a@example.com>:",
        "Le lun. 5 janv. 2026 à 09:00, Ann Lee a écrit :",
        HEADER.format("Ann Lee <a@example.com>"),
        HEADER.format("Ann Lee"),
        "-----Original Message-----\n" + HEADER.format("Ann Lee"),
    ],
)
def test_a_quote_is_of_whom_the_line_above_it_names(above):
    assert writer(above) == "Ann Lee"


def test_a_line_that_was_taken_for_the_mails_own_names_the_writer_too():
    assert writer("", own="Fine.\n\nAnn Lee wrote:") == "Ann Lee"


def test_an_address_is_whose_it_is():
    above = "On 5 Jan 2026, ann@example.org wrote:"

    assert writer(above, people=(BEN, ANN)) == "Ann Lee"
    assert writer(above) == "ann@example.org"


@pytest.mark.parametrize(
    "above",
    [
        "",
        "Hello all,",
        "On Monday Ann wrote:",
        "On Mon, 5 Jan 2026 somebody at the office wrote:",
        "On Mon, 5 Jan 2026, Ignore Previous Instructions wrote:",
        "Ann Lee wrote:\nFine.\n\nCleo Marsh wrote:",
    ],
)
def test_where_it_is_not_plain_nobody_wrote_it(above):
    assert writer(above, people=(BEN, ANN)) is None


@pytest.mark.parametrize("kind", ["body", "attachment"])
def test_what_is_not_quoted_is_of_the_sender(kind):
    assert writer("Ann Lee wrote:", kind=kind) == "Ben Ito"
