"""Threads: a new mail is digested against what is known of its thread."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import thread_mails
from digest_fakes import call as make_call
from digest_orders import LIBRARY, codes
from fakes import FakeClock
from sealers import key_ring
from thread_mails import ThreadReader, body, mail, order, sent_at

from flaskllm.core.config_privacy import PrivacySettings
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.services.completions import Completions
from flaskllm.services.digests.pipeline import Digests
from flaskllm.services.digests.threads import Audience, Threads
from flaskllm.services.privacy import Privacy
from flaskllm.storage.threads import ThreadRows

MONTH = timedelta(days=30)


class House:
    """Digests of one principal's mails, on a database with a clock moved by hand."""

    def __init__(self, database, keep_for=MONTH):
        self.clock = FakeClock(datetime(2026, 3, 2, 9, tzinfo=UTC))
        self.model = ThreadReader()
        self.rows = ThreadRows(database, self.clock)
        self.privacy = None
        self.threads = Threads(self.rows, key_ring(), keep_for)

    def digest(self, wanted, principal_id="anna", target=None):
        """Return a digest, and how many tokens went to the model for it."""
        library = lambda: LIBRARY  # noqa: E731
        completions = Completions(lambda: self.model)
        digests = Digests(
            completions,
            library,
            self.clock,
            privacy=self.privacy,
            threads=self.threads,
        )
        before = len(self.model.tokens)
        whose = Audience(principal_id, target) if principal_id else None
        result = digests.make(wanted, make_call(), threads_of=whose)
        return result, sum(self.model.tokens[before:])


@pytest.fixture
def house(sqlite_database_url, make_database):
    return House(make_database(sqlite_database_url))


def drafts(result):
    return {
        int(item.task.split()[2]): item.status for item in result.digest.action_items
    }


def item(result, number):
    tasks = (each for each in result.digest.action_items)
    return next(each for each in tasks if each.task.startswith(f"Send draft {number} "))


def read(
    house, number, bodies, principal_id="anna", kind="action_items", target=None, **how
):
    """Digest mail `number` of a thread."""
    wanted = order(mail(number, bodies[:number], **how), kind)
    return house.digest(wanted, principal_id, target)


DROP = "We do not need draft 1 any more, drop it."
THREE = [body(1), body(2, DROP), body(3)]
LONG = [body(n) for n in range(1, 31)]
LONG[2] = body(3, "The budget is 5000 euros now.")
LONG[19] = body(20, "We do not need draft 7 any more, drop it.")
LONG[24] = body(25, "The budget is not 5000 but 6000 euros now.")


@pytest.mark.no_cover
def test_thirty_mails_cost_about_the_same_each_and_the_last_one_tells_of_all(house):
    taken = []
    for number in range(1, 31):
        result, tokens = read(house, number, LONG, kind="summary")
        taken.append(tokens)

    assert max(taken) < 2.6 * taken[0]
    assert max(taken[-8:]) < 1.1 * min(taken[-8:])
    assert drafts(result) == dict.fromkeys(range(1, 31), "open") | {7: "retracted"}
    assert [each.text for each in result.digest.amounts] == ["The budget is 6000 euros"]
    assert "facts_of_earlier_mails" not in codes(result)

    alone = [read(house, n, LONG, None, "summary")[1] for n in (10, 20, 30)]
    assert alone[2] - alone[1] > 0.8 * (alone[1] - alone[0]) > 600
    assert alone[2] > 1.5 * taken[-1]


class TestWhatIsAsked:
    def test_what_was_read_is_not_sent_again(self, house):
        read(house, 1, THREE)
        result, _ = read(house, 2, THREE)

        prompt = house.model.prompts[-1]
        assert "round 1" not in prompt
        assert "round 2" in prompt
        assert "known_text_left_out" in codes(result)

    def test_a_model_is_told_what_is_known(self, house):
        read(house, 1, THREE)
        read(house, 2, THREE)

        known = "[earlier | quoted]\naction_items: Send draft 1 to the harbour office"
        assert known in house.model.prompts[-1]

    def test_new_lines_in_a_quote_are_sent(self, house):
        read(house, 1, THREE)
        answered = body(1).replace("before.", "before.\n\nOnly if workshop 9 agrees.")
        read(house, 2, [answered, body(2)])

        prompt = house.model.prompts[-1]
        assert "Only if workshop 9 agrees." in prompt
        assert "round 1" not in prompt


class TestWhatHolds:
    def test_a_later_mail_takes_a_task_back(self, house):
        read(house, 1, THREE)
        result, _ = read(house, 2, THREE)

        assert drafts(result) == {1: "retracted", 2: "open"}

    def test_a_fact_that_is_quoted_stands_where_it_is_quoted(self, house):
        read(house, 1, LONG)
        result, _ = read(house, 2, LONG)

        proof = item(result, 1).evidence
        quoted = mail(2, LONG[:2]).decode().split("\n> ", 1)[1]
        assert proof.quote in quoted.replace("\n> ", "\n")
        assert (proof.part, proof.verified, proof.speaker) == ("p2", True, "Ben Ito")

    def test_a_fact_that_is_not_quoted_has_no_place_and_is_told(self, house):
        read(house, 1, LONG, quotes=False)
        result, _ = read(house, 2, LONG, quotes=False)

        proof = item(result, 1).evidence
        assert (proof.part, proof.offset, proof.verified) == (None, None, True)
        assert proof.quote == "I will send draft 1 to the harbour office."
        assert "facts_of_earlier_mails" in codes(result)

    def test_what_the_first_known_mail_quotes_is_of_whom_it_names(
        self, house, monkeypatch
    ):
        answer = thread_mails._answer
        monkeypatch.setattr(
            thread_mails,
            "_answer",
            lambda said: answer(said.replace("quoted]", "body]")),
        )
        read(house, 2, LONG)
        result, _ = read(house, 4, LONG, quotes=False)

        speakers = [item(result, number).evidence.speaker for number in (1, 2)]
        assert speakers == ["Ben Ito", "Cleo Marsh"]

    @pytest.mark.parametrize("bodies", [THREE, LONG], ids=["taken back", "new"])
    def test_a_mail_that_comes_again_adds_nothing_and_costs_no_more(
        self, house, bodies
    ):
        read(house, 1, bodies)
        first, tokens = read(house, 2, bodies)
        again, same_tokens = read(house, 2, bodies)

        assert again.digest == first.digest
        # The delimiters of the document and of the facts are others each time.
        assert same_tokens < tokens + 30

    def test_mails_out_of_order_say_what_they_say_in_order(self, house):
        read(house, 2, THREE, quotes=False)
        result, _ = read(house, 1, THREE, quotes=False)

        assert drafts(result) == {1: "retracted", 2: "open"}

    def test_a_date_in_the_future_is_no_later_word(self, house):
        """Whoever forges a date would have the last word for ever."""
        house.clock = FakeClock(sent_at(1))
        forged = mail(1, THREE[:1]).replace(b"Jan 2026", b"Jan 2096")
        house.digest(order(forged, "action_items"))
        house.clock.advance(timedelta(days=5).total_seconds())
        result, _ = read(house, 2, THREE)

        assert drafts(result) == {1: "retracted", 2: "open"}


class TestWhoseItIs:
    def test_nobody_else_sees_it(self, house):
        read(house, 1, LONG)
        result, _ = read(house, 2, LONG, "ben", quotes=False)

        assert drafts(result) == {2: "open"}
        assert "round 1" not in "".join(house.model.prompts[1:])

    @pytest.mark.parametrize("target", [None, "inbound:in_a", "url:https://x.test/a"])
    def test_mails_for_another_target_know_nothing(self, house, target):
        """Whoever forges `References` would have told one receiver of another's."""
        read(house, 1, THREE, target="inbound:in_b", quotes=False)
        forged, _ = read(house, 3, THREE, target=target, quotes=False)
        joined, _ = read(house, 3, THREE, target="inbound:in_b", quotes=False)

        assert drafts(forged) == {3: "open"}
        assert drafts(joined) == {1: "open", 3: "open"}

    def test_a_mail_that_is_read_alone_neither_learns_nor_teaches(self, house):
        read(house, 1, THREE)
        alone, _ = read(house, 2, THREE, None, quotes=False)
        later, _ = read(house, 3, THREE, quotes=False)

        assert item(alone, 1).evidence.quote == DROP
        assert drafts(later) == {1: "open", 3: "open"}

    def test_other_threads_and_other_types_know_nothing(self, house):
        read(house, 1, THREE)
        other, _ = read(house, 3, THREE, quotes=False, root="x1")
        summary, _ = read(house, 3, THREE, kind="summary", quotes=False)

        assert drafts(other) == drafts(summary) == {3: "open"}


class TestHowLong:
    def test_a_thread_begins_anew_when_it_has_expired(self, house):
        read(house, 1, THREE)
        house.clock.advance(MONTH.total_seconds())
        result, _ = read(house, 3, THREE, quotes=False)

        assert drafts(result) == {3: "open"}

    def test_each_mail_keeps_it_for_as_long_again(self, house):
        for number in (1, 2):
            read(house, number, LONG, quotes=False)
            house.clock.advance(MONTH.total_seconds() * 0.6)
        result, _ = read(house, 3, LONG, quotes=False)

        assert drafts(result).keys() == {1, 2, 3}

    def test_what_has_expired_is_removed(self, house):
        read(house, 1, THREE)

        early = house.threads.forget_expired()
        house.clock.advance(MONTH.total_seconds())

        assert (early, house.threads.forget_expired()) == (0, 1)

    def test_nothing_is_kept_where_threads_are_not_kept(
        self, sqlite_database_url, make_database
    ):
        house = House(make_database(sqlite_database_url), timedelta())
        read(house, 1, THREE)
        wanted = order(mail(3, THREE, quotes=False), "action_items", thread="remember")
        result, _ = house.digest(wanted)

        assert drafts(result) == {3: "open"}
        assert "thread_not_remembered" in codes(result)


class TestTroubles:
    def test_a_mail_of_the_same_thread_that_was_faster_is_not_lost(self, house):
        read(house, 1, LONG)
        put, faster = house.rows.put, []

        class Late:
            find = house.rows.find

            @staticmethod
            def put(*args):
                if not faster:
                    faster.append(True)
                    late, house.threads = house.threads, real
                    read(house, 2, LONG, quotes=False)
                    house.threads = late
                return put(*args)

        real = house.threads
        house.threads = Threads(Late, key_ring(), MONTH)
        read(house, 3, LONG, quotes=False)
        house.threads = real
        result, _ = read(house, 4, LONG, quotes=False)

        assert drafts(result).keys() == {1, 2, 3, 4}

    def test_a_store_that_does_not_work_costs_no_digest(self, house, caplog):
        def fail(*args):
            raise ServiceUnavailable(details="Gone.")

        house.rows.find = fail
        result, _ = read(house, 1, THREE)

        assert drafts(result) == {1: "open"}
        events = [record.getMessage() for record in caplog.records]
        assert any("thread_not_read" in event for event in events)
        assert any("thread_not_kept" in event for event in events)

    def test_what_lasts_too_long_to_be_kept_is_let_be(self, house, caplog):
        house.rows.put = lambda *args: False
        result, _ = read(house, 1, THREE)

        assert drafts(result) == {1: "open"}
        assert "thread_not_kept" in caplog.text


class TestPrivacy:
    def test_redaction_hides_whom_earlier_mails_name(self, house):
        """Whoever wrote earlier need not be among those of this mail."""
        dora = ("Dora Vane", "dora@example.com")
        asks = "Dora Vane will call 030 1234567 about it."
        read(house, 1, [body(1, asks)], kind="summary", sender=dora)
        house.model.prompts.clear()
        wanted = mail(2, LONG[:2], quotes=False)
        result, _ = house.digest(order(wanted, redact=True))

        assert drafts(result).keys() == {1, 2}
        assert item(result, 1).evidence.speaker == "Dora Vane"
        assert "Dora" not in "".join(house.model.prompts)

    def test_redaction_hides_who_had_a_copy_of_an_earlier_mail(self, house):
        asks = body(1, "The budget is 5000 euros now.")
        with_copy = mail(1, [asks]).replace(
            b"To: all", b"Cc: Dora Vane <d1@example.com>\nTo: all"
        )
        house.model = Naming()
        house.digest(order(with_copy))
        house.model.prompts.clear()
        wanted = mail(2, LONG[:2], quotes=False)
        result, _ = house.digest(order(wanted, redact=True))

        assert [each.text[:4] for each in result.digest.amounts] == ["Dora"]
        assert "Dora" not in "".join(house.model.prompts)

    def test_what_stays_local_is_not_remembered(self, house):
        house.privacy = privacy()
        card = body(1, "The card is 4111 1111 1111 1111, please use it.")
        wanted = order(mail(1, [card]), "action_items", thread="remember")
        first, _ = house.digest(wanted)
        result, _ = read(house, 2, [card, body(2)], quotes=False)

        assert "thread_not_remembered" in codes(first)
        assert drafts(result) == {2: "open"}

    def test_what_is_known_keeps_a_mail_local_too(self, house):
        """The rules may have been made after the first mail was read."""
        dropped = "We do not need draft 1 any more, drop it."
        told = "The budget is 4111111111111111 euros now."
        read(house, 1, [body(1, told)], kind="summary")
        house.privacy = privacy()
        wanted = order(mail(2, [body(1), body(2, dropped)], quotes=False))
        house.digest(wanted)

        assert set(house.model.tags[-2:]) == {"local"}
        assert house.model.tags[0] is None


class Naming(ThreadReader):
    """Says who said what, as a model may in its own words."""

    def complete(self, request, call=None):
        answer = super().complete(request, call)
        said = answer.completion.text
        named = said.replace('"text": "The', '"text": "Dora Vane: the')
        return replace(answer, completion=replace(answer.completion, text=named))


def privacy():
    """Return a privacy that keeps payment cards local, without a database."""
    settings = PrivacySettings(on_sensitive="local")
    return Privacy(settings, settings.compiled(), None, FakeClock(), lambda: None)
