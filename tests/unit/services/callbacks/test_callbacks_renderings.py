"""What receivers get: for programs, for Slack, for Teams, and as a mail."""

import email
import email.policy
import json
import re

import pytest
from callback_scene import LATER, answer_of, digest_event, job, meeting, texts_of

from flaskllm.services.callbacks import events
from flaskllm.services.callbacks.messages import message_of
from flaskllm.services.callbacks.renderings import json as json_rendering
from flaskllm.services.callbacks.renderings import mail, slack, teams
from flaskllm.services.digests.types import ActionItem, Digest, Evidence, Summary


class TestJson:
    def test_a_program_gets_the_type_the_time_and_the_whole_answer(self):
        body = json.loads(json_rendering.render(digest_event(meeting())))

        assert body["type"] == "job.done"
        assert body["timestamp"] == "2026-01-05T09:00:41Z"
        assert body["data"] == {
            "id": "job_1",
            "kind": "digest",
            "state": "done",
            "location": "/api/v1/jobs/job_1",
            "created_at": "2026-01-05T09:00:00Z",
            "finished_at": "2026-01-05T09:00:40Z",
            "result": json.loads(json.dumps(answer_of(meeting()))),
            "error": None,
        }

    def test_a_result_that_is_too_long_is_left_to_its_location(self):
        long = meeting(short="x" * 20_000)

        sent = json_rendering.render(digest_event(long))

        body = json.loads(sent)
        assert len(sent) < 20_000
        assert body["data"]["result"] is None
        assert body["data"]["location"] == "/api/v1/jobs/job_1"

    def test_an_error_is_told_as_every_face_tells_it(self):
        error = {"code": "LLM_TIMEOUT", "error": "No.", "details": "d", "other": 1}
        failed = job(state="failed", result=None, error=json.dumps(error).encode())

        body = json.loads(
            json_rendering.render(events.of_job(failed, "job.failed", LATER))
        )

        del error["other"]
        assert body["data"]["error"] == error
        assert body["data"]["result"] is None

    @pytest.mark.parametrize(
        ("count", "result", "has_items", "has_results"),
        [
            pytest.param(3, b'{"a": 1}', True, True, id="all fits"),
            pytest.param(100, b'{"a": "' + b"x" * 300 + b'"}', True, False, id="long"),
            pytest.param(500, None, False, False, id="many"),
        ],
    )
    def test_a_batch_tells_of_its_items_as_far_as_they_fit(
        self, count, result, has_items, has_results
    ):
        items = [
            job(id=f"job_{n:017}", number=n, batch_id="job_b", result=result)
            for n in range(count)
        ]
        batch = job(id="job_b", kind="batch", result=None)

        sent = json_rendering.render(events.of_batch(batch, items, LATER))

        data = json.loads(sent)["data"]
        assert len(sent) < 20_000
        assert data["counts"] == {"done": count}
        assert (data["items"] is not None) == has_items
        if has_items:
            assert [each["number"] for each in data["items"]] == list(range(count))
            assert (data["items"][0]["result"] is not None) == has_results

    def test_half_a_surrogate_pair_is_no_obstacle(self):
        sent = json_rendering.render(digest_event(meeting(short="a\ud800b")))

        short = json.loads(sent)["data"]["result"]["data"]["digest"]["summary"]["short"]
        assert short == "a?b"


class TestMessages:
    def test_a_meeting_reads_well(self):
        message = message_of(digest_event(meeting()))

        assert message.title == "Meeting digest"
        assert message.subject.startswith("Meeting digest: The offer goes out")
        assert message.lead == ("The offer goes out on Friday.",)
        assert [(each.heading, each.lines) for each in message.sections] == [
            ("", ("Price stays", "Team grows")),
            (
                "Action items",
                (
                    "Send the offer (Anna, due 2026-01-09)",
                    "Book a room (nobody named, done) [not verified]",
                ),
            ),
            ("Decisions", ("The price stays.",)),
            ("Open questions", ("Who signs? [not verified]",)),
        ]
        assert message.context == ("Made by openai, gpt-small", "Job job_1")

    def test_other_types_show_their_text(self):
        reply = Digest(language="en", kind="email", reply_draft="Dear Anna,\n\nyes.")

        message = message_of(digest_event(reply, "reply", "Dear Anna,\n\nyes."))

        assert message.title == "Draft of a reply"
        assert message.lead == ("Dear Anna,", "yes.")

    def test_action_items_alone_are_a_list_without_a_lead(self):
        items = Digest(language="en", kind="email", action_items=meeting().action_items)

        message = message_of(digest_event(items, "action_items", "- Send the offer"))

        assert message.title == message.subject == "Action items"
        assert message.lead == ()

    def test_degraded_and_warned_is_told(self):
        answer = answer_of(meeting())
        answer["meta"] |= {"degraded": True, "warnings": ["a", "b"]}
        event = events.of_job(
            job(result=json.dumps(answer).encode()), "job.done", LATER
        )

        assert message_of(event).context[1:3] == (
            "Not all of it was made by a model",
            "Warnings: 2",
        )

    def test_a_failure_tells_the_error_and_its_code(self):
        error = {"code": "LLM_TIMEOUT", "error": "The model did not answer in time."}
        failed = job(state="dead", result=None, error=json.dumps(error).encode())

        message = message_of(events.of_job(failed, "job.failed", LATER))

        assert message.lead == ("The model did not answer in time. (LLM_TIMEOUT)",)

    def test_a_batch_tells_what_was_made_and_what_was_not(self):
        good = job(id="job_a", number=0, batch_id="job_b")
        bad = job(
            id="job_c",
            number=1,
            batch_id="job_b",
            state="failed",
            result=None,
            error_code="LLM_TIMEOUT",
        )
        batch = job(id="job_b", kind="batch", result=None)

        message = message_of(events.of_batch(batch, [good, bad], LATER))

        assert message.title == "Batch done"
        assert message.lead == ("1 of 2 digests were made.",)
        assert [(each.heading, each.lines) for each in message.sections] == [
            ("Digests", ("0: The offer goes out on Friday.",)),
            ("Not made", ("1: LLM_TIMEOUT",)),
        ]

    def test_endpoints_are_told_of_by_their_names(self):
        test = message_of(events.of_test("end_1", "Team", LATER))
        disabled = message_of(events.of_disabled("end_1", "Team", "gone", LATER))

        assert test.lead == ("Messages for the endpoint Team arrive here.",)
        assert disabled.lead == ("The endpoint Team gets no more messages: gone",)

    def test_a_list_that_is_too_long_says_how_many_more_there_are(self):
        points = Summary("s", tuple(f"point {n}" for n in range(40)))

        (section,) = message_of(
            digest_event(Digest(language="en", kind="email", summary=points))
        ).sections

        assert len(section.lines) == 15
        assert section.lines[-2:] == ("point 13", "… and 26 more")


class TestSlack:
    def test_a_message_is_a_header_sections_and_small_print(self):
        body = json.loads(slack.render(digest_event(meeting())))

        types = [block["type"] for block in body["blocks"]]
        assert types == ["header", *["section"] * 5, "context"]
        assert body["blocks"][0]["text"] == {
            "type": "plain_text",
            "text": "Meeting digest",
        }
        items = body["blocks"][3]["text"]["text"]
        assert items.startswith("*Action items*\n• Send the offer (Anna, due 2026")
        assert body["text"].startswith("Meeting digest\nThe offer goes out")

    def test_signs_of_its_markup_are_escaped(self):
        body = slack.render(digest_event(meeting(short="R&D < Sales > Ops")))

        lead = json.loads(body)["blocks"][1]["text"]
        assert lead["text"] == "R&amp;D &lt; Sales &gt; Ops"
        assert lead["verbatim"] is True

    def test_its_limits_hold_however_long_the_digest_is(self):
        proof = Evidence("q", verified=True)
        item = ActionItem("&" * 5000, "<" * 500, None, None, "open", proof)
        huge = meeting(
            short="&\n" * 5000, action_items=(item,) * 200, decisions=(), risks=()
        )

        body = json.loads(slack.render(digest_event(huge)))

        assert len(body["blocks"]) <= 50
        assert all(len(text) <= 3000 for text in texts_of(body))
        assert "…" in body["text"]
        assert not re.search(r"&(?!amp;|lt;|gt;)", "".join(texts_of(body)))


class TestTeams:
    def test_a_message_holds_one_adaptive_card(self):
        body = json.loads(teams.render(digest_event(meeting())))

        (attachment,) = body["attachments"]
        card = attachment["content"]
        assert body["type"] == "message"
        assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
        assert card["body"][0]["text"] == "Meeting digest"
        texts = list(texts_of(card))
        assert "• Send the offer (Anna, due 2026-01-09)" in texts

    def test_only_words_of_ours_stand_where_markdown_means_something(self):
        body = json.loads(teams.render(digest_event(meeting())))

        elements = body["attachments"][0]["content"]["body"]
        marked = [each["text"] for each in elements if each["type"] == "TextBlock"]
        assert marked == [
            "Meeting digest",
            "Action items",
            "Decisions",
            "Open questions",
        ]

    def test_a_long_digest_is_shortened_until_it_fits(self):
        proof = Evidence("q", verified=True)
        item = ActionItem("任" * 5000, None, None, None, "open", proof)
        huge = meeting(short="任" * 9000, action_items=(item,) * 200)

        sent = teams.render(digest_event(huge))

        assert len(sent) <= teams.MOST_BYTES
        assert "more" in sent.decode()


class TestMail:
    ENVELOPE = mail.Envelope(
        "msg_1", '"Digests, daily" <digests@example.org>', "team@example.com", LATER
    )

    def test_a_mail_says_who_sent_what_and_that_no_person_wrote_it(self):
        sent = mail.compose(mail.render(digest_event(meeting())), self.ENVELOPE)

        read = email.message_from_bytes(bytes(sent), policy=email.policy.default)
        assert read["To"] == "team@example.com"
        assert read["From"].addresses[0].addr_spec == "digests@example.org"
        assert read["From"].addresses[0].display_name == "Digests, daily"
        assert read["Subject"] == "Meeting digest: The offer goes out on Friday."
        assert read["Auto-Submitted"] == "auto-generated"
        assert read["Message-ID"] == "<msg_1@example.org>"
        assert read["Date"].datetime == LATER
        assert read.get_content_type() == "text/plain"

    def test_its_text_is_a_letter(self):
        sent = mail.compose(mail.render(digest_event(meeting())), self.ENVELOPE)

        assert sent.get_content().splitlines() == [
            "The offer goes out on Friday.",
            "",
            "- Price stays",
            "- Team grows",
            "",
            "Action items:",
            "- Send the offer (Anna, due 2026-01-09)",
            "- Book a room (nobody named, done) [not verified]",
            "",
            "Decisions:",
            "- The price stays.",
            "",
            "Open questions:",
            "- Who signs? [not verified]",
            "",
            "Made by openai, gpt-small",
            "Job job_1",
        ]

    def test_a_repeat_is_the_same_mail_to_whoever_looks_at_its_id(self):
        body = mail.render(digest_event(meeting()))

        ids = {mail.compose(body, self.ENVELOPE)["Message-ID"] for _ in range(2)}

        assert len(ids) == 1

    def test_no_line_of_it_is_longer_than_mail_servers_take(self):
        body = mail.render(digest_event(meeting(short="ü" * 5000)))

        sent = bytes(mail.compose(body, self.ENVELOPE))

        assert max(map(len, sent.splitlines())) <= 998

    def test_a_line_break_in_the_summary_makes_no_header(self):
        body = mail.render(digest_event(meeting(short="Hi\r\nBcc: x@evil.example")))

        sent = mail.compose(body, self.ENVELOPE)

        assert sent["Bcc"] is None
