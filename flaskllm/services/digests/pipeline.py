"""The digest, from bytes to proven facts: the one pipeline.

Parse, plan, ask for facts with quotes, verify, write prose from what held, render.
What is asked, and how it is recorded, stands in `gathering`.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flaskllm.core.clock import Clock
from flaskllm.core.ids import new_id
from flaskllm.llm.prompts import Library
from flaskllm.llm.types import Call, Usage
from flaskllm.services.completions import Completions
from flaskllm.services.digests import answers, order, prose, unasked
from flaskllm.services.digests.asking import Asked
from flaskllm.services.digests.case import Case, read_case
from flaskllm.services.digests.case_questions import Questions
from flaskllm.services.digests.gathering import Gathering, Step, Steps, run_inline
from flaskllm.services.digests.kinds import KINDS, Kind
from flaskllm.services.digests.mapping import one_at_a_time
from flaskllm.services.digests.merging import Told, merge
from flaskllm.services.digests.notices import list_failures, list_warnings
from flaskllm.services.digests.pieces import (
    Piece,
    characters_of,
    is_continued,
    whole,
)
from flaskllm.services.digests.render import render
from flaskllm.services.digests.saying import Counts
from flaskllm.services.digests.shielding import on_record, shield_of
from flaskllm.services.digests.sizes import Plan
from flaskllm.services.digests.thread_use import ThreadUse, open_thread
from flaskllm.services.digests.threads import Audience, Threads
from flaskllm.services.digests.types import (
    Digest,
    DigestOrder,
    DigestResult,
    Participant,
    Summary,
)
from flaskllm.services.privacy import Privacy


@dataclass(frozen=True, slots=True)
class Digests:
    """Makes digests.

    Attributes:
        completions: Ask models.
        templates: Gives the library as it stands now.
        clock: Says when a document arrived.
        at_once: How many pieces of a document are asked about at a time; 1 where
            there are no threads.
        most_inline_calls: How many calls to models somebody waits for, where a job
            could take them; None is any number.
        privacy: What is kept from upstreams; None keeps only what orders say.
        threads: What is known of mail threads; None knows nothing.
    """

    completions: Completions
    templates: Callable[[], Library]
    clock: Clock
    at_once: int = 1
    most_inline_calls: int | None = None
    privacy: Privacy | None = None
    threads: Threads | None = None

    def make(
        self,
        wanted: DigestOrder,
        call: Call,
        step: Step = run_inline,
        keep: Step = run_inline,
        most_calls: int | None = None,
        threads_of: Audience | None = None,
    ) -> DigestResult:
        """Return the digest of one document.

        Args:
            wanted: What is ordered.
            call: Travels down.
            step: Runs what costs money, see above.
            keep: Runs the pieces of one step.
            most_calls: How many calls to models it may take; None is any number.
            threads_of: Whose threads count; None reads a mail alone.

        Raises:
            InvalidInputError: The order cannot be carried out as it stands; the
                field is named. A repetition fails alike.
            UnsupportedMediaType: The content type is not read here.
            LLMAPIError: No model could answer; `retryable` tells whether the
                same order may succeed later.
            TooManyCallsError: It takes more than `most_calls`; nothing was asked.
        """
        steps = Steps(step, keep, self.at_once, most_calls)
        call = order.heeding(wanted, call)
        making = self._making(wanted, call, steps, threads_of)
        return on_record(making.make, making.gathering.questions.shield, call, keep)

    def plan(
        self, wanted: DigestOrder, call: Call, threads_of: Audience | None = None
    ) -> Plan:
        """Return what the digest of a document would take; no model is asked.

        Args:
            wanted: What would be ordered.
            call: Travels down.
            threads_of: As `make`.

        Raises:
            InvalidInputError: As `make`.
            UnsupportedMediaType: As `make`.
        """
        return self._making(wanted, call, Steps(), threads_of).plan()

    def _making(
        self, wanted: DigestOrder, call: Call, steps: Steps, threads_of: Audience | None
    ) -> "_Making":
        now, keep = self.clock.now(), steps.keep
        case = read_case(wanted, order.read_ground(wanted, now))
        kind, document = KINDS[wanted.type], case.ground.document
        shield = shield_of(wanted, document, self.privacy, call.aliases)
        thread = None
        if not shield.found and unasked.answer(case) is None:
            thread = open_thread(self.threads, case, threads_of, now, keep)
        news = None
        if thread is not None and thread.is_known:
            earlier, news = thread.earlier, thread.news.ground
            shield = shield_of(wanted, document, self.privacy, call.aliases, earlier)
            case = replace(case, ground=thread.ground)
        questions = Questions(case, kind, self.templates(), shield, news)
        shared = one_at_a_time(call)
        gathering = Gathering(questions, self.completions, shared, steps)
        return _Making(case, kind, gathering, thread)


@dataclass(frozen=True, slots=True)
class _Making:
    """One digest in the making."""

    case: Case
    kind: Kind
    gathering: Gathering
    thread: ThreadUse | None = None

    def plan(self) -> Plan:
        """Return what it takes; no model is asked."""
        if unasked.answer(self.case) is not None:
            return Plan(0, 0, 0, 0, (whole(self.case.ground),))
        return self.gathering.plan()

    def make(self) -> DigestResult:
        """Return the digest."""
        if (skipped := unasked.answer(self.case)) is not None:
            return skipped
        counts: Counts = Counter()
        facts = self.gathering.facts()
        asked = [each for _, each in facts]
        own = self._conclude(facts, counts)
        fields = own if self.thread is None else self.thread.join(own, counts)
        is_read = not any(each.degraded for each in asked)
        telling = prose.telling_facts(fields, self.case.ground)
        if "summary" in self.kind.fills:
            fields["summary"] = self._write_summary(telling, asked, counts)
        if "reply_draft" in self.kind.fills:
            fields["reply_draft"] = self._write_reply(telling, asked, counts)
        self._remember(own if is_read else None, counts)
        fields.pop("points", None)
        return self._finish(fields, asked, counts)

    def _conclude(
        self, facts: Sequence[tuple[Piece, Asked]], counts: Counts
    ) -> dict[str, Any]:
        """Return the fields that hold, of all pieces together."""
        kind, told = self.kind, []
        for piece, asked in facts:
            answer = kind.answer.model_validate(asked.answer)
            fields = kind.conclude(answer, self.case, counts)
            told.append(Told(fields, characters_of(piece), is_continued(piece)))
        return merge(told, self.case)

    def _remember(self, own: dict[str, Any] | None, counts: Counts) -> None:
        """Keep what this mail has told; not what stays local, nor what nobody read."""
        is_local = bool(self.gathering.questions.shield.found)
        if self.thread is None or is_local:
            counts["thread_not_remembered"] += self.case.order.thread == "remember"
        elif own is not None:
            self.thread.keep(own)

    def _write_summary(
        self, fields: dict[str, Any], asked: list[Asked], counts: Counts
    ) -> Summary:
        ground = self.case.ground
        if len(asked) == 1 and asked[0].degraded:
            extract = answers.SummaryAnswer.model_validate(asked[0].answer)
            return prose.conclude_extract(extract.summary, ground, counts)
        is_read = not all(each.degraded for each in asked)
        if is_read and prose.has_facts(fields):
            asked.append(self._write(fields, counts))
            written = answers.SummaryAnswer.model_validate(asked[-1].answer)
            summary = prose.conclude_summary(written.summary, ground, counts)
            if summary:
                return summary
        return self._extract_summary(asked, counts)

    def _extract_summary(self, asked: list[Asked], counts: Counts) -> Summary:
        """Sum up in the source's own sentences when no fact held."""
        asked.append(self.gathering.extract())
        counts["summary_extracted"] += 1
        extract = answers.SummaryAnswer.model_validate(asked[-1].answer)
        return prose.conclude_extract(extract.summary, self.case.ground, counts)

    def _write_reply(
        self, fields: dict[str, Any], asked: list[Asked], counts: Counts
    ) -> str:
        asked.append(self._write(fields, counts))
        written = answers.ReplyAnswer.model_validate(asked[-1].answer)
        return prose.conclude_reply(written.reply_draft, self.case, counts)

    def _write(self, fields: dict[str, Any], counts: Counts) -> Asked:
        written, left_out = self.gathering.prose(fields)
        counts["facts_left_out"] += left_out
        return written

    def _finish(
        self, fields: dict[str, Any], asked: list[Asked], counts: Counts
    ) -> DigestResult:
        wanted, ground = self.case.order, self.case.ground
        objections = [warning for each in asked for warning in each.warnings]
        failures = [code for each in asked if each.degraded for code in each.failures]
        warnings = (
            *list_warnings(ground, counts, objections, fields),
            *list_failures(failures),
        )
        usage = sum((each.usage for each in asked), start=Usage())
        digest = Digest(
            language=ground.language,
            kind=ground.document.kind,
            participants=tuple(
                Participant(person.name, person.email, person.role)
                for person in ground.document.participants
            ),
            warnings=warnings,
            **fields,
        )
        return DigestResult(
            id=new_id("dig"),
            type=wanted.type,
            text=render(digest, wanted.type, wanted.response_format),
            digest=digest,
            provider=asked[0].provider,
            model=asked[0].model,
            usage=usage,
            cached=usage.source == "cached",
            degraded=any(each.degraded for each in asked),
            warnings=warnings,
            form=ground.document.form,
            deployments=tuple(name for each in asked for name in each.deployments),
        )
