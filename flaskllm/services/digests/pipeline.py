"""The digest, from bytes to proven facts: the one pipeline.

Parse, ask for facts with quotes, verify, write prose from what held, render.
`step(name, function)` runs each piece that costs money and returns its plain
JSON: a plain call here, a recorded step in a worker. A document that does not
fit the window of any model is refused by the router before money is spent.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from flaskllm.core.clock import Clock
from flaskllm.core.config import OFFLINE
from flaskllm.core.errors import InvalidInputError, ModelNotFound
from flaskllm.core.ids import new_id
from flaskllm.llm.prompts import Library
from flaskllm.llm.tokens import estimate
from flaskllm.llm.types import Answer, Call, CompletionRequest, Extraction, Usage
from flaskllm.services.completions import Completions
from flaskllm.services.digests import answers, order, prose
from flaskllm.services.digests.asking import Asked, Complete, Question, ask, take
from flaskllm.services.digests.case import Case, read_case
from flaskllm.services.digests.kinds import KINDS, CustomAnswer, Kind
from flaskllm.services.digests.notices import list_failures, list_warnings
from flaskllm.services.digests.render import render
from flaskllm.services.digests.saying import Counts
from flaskllm.services.digests.types import (
    Digest,
    DigestOrder,
    DigestResult,
    Participant,
    Summary,
)

Step = Callable[[str, Callable[[], Any]], Any]

# A translation is about as long as its source; scripts differ by about a half.
_TRANSLATION_GROWTH = 1.5


def run_inline(name: str, function: Callable[[], Any]) -> Any:
    """Run a step here and now."""
    return function()


@dataclass(frozen=True, slots=True)
class Digests:
    """Makes digests. `templates` gives the library as it stands now."""

    completions: Completions
    templates: Callable[[], Library]
    clock: Clock

    def make(
        self, wanted: DigestOrder, call: Call, step: Step = run_inline
    ) -> DigestResult:
        """Return the digest of one document.

        Raises:
            InvalidInputError: The order cannot be carried out as it stands; the
                field is named. A repetition fails alike.
            UnsupportedMediaType: The content type is not read here.
            LLMAPIError: No model could answer; `retryable` tells whether the
                same order may succeed later.
        """
        case = read_case(wanted, order.read_ground(wanted, self.clock.now()))
        complete = partial(self._complete, call=call)
        making = _Making(case, KINDS[wanted.type], self.templates(), complete, step)
        return making.make()

    def _complete(self, request: CompletionRequest, call: Call) -> Answer:
        """Ask a model; one that is not there is a wrong field of the order."""
        try:
            return self.completions.complete(request, call)
        except ModelNotFound as error:
            raise InvalidInputError(
                details=error.details, fields=error.fields
            ) from error


@dataclass(frozen=True, slots=True)
class _Making:
    """One digest in the making."""

    case: Case
    kind: Kind
    library: Library
    complete: Complete
    step: Step

    def make(self) -> DigestResult:
        counts: Counts = Counter()
        facts = self._ask("facts", self._facts_question())
        answer = self.kind.answer.model_validate(facts.answer)
        fields = self.kind.conclude(answer, self.case, counts)
        asked = [facts]
        if "summary" in self.kind.fills:
            fields["summary"] = self._write_summary(facts, fields, asked, counts)
        if "reply_draft" in self.kind.fills:
            fields["reply_draft"] = self._write_reply(fields, asked, counts)
        fields.pop("points", None)
        return self._finish(fields, asked, counts)

    def _ask(self, name: str, question: Question) -> Asked:
        repair = self.library.get("repair")

        def run() -> dict[str, Any]:
            return ask(question, repair, self.complete).to_json()

        return Asked.from_json(self.step(name, run))

    def _facts_question(self) -> Question:
        wanted, ground = self.case.order, self.case.ground
        template = order.choose_template(wanted, self.library)
        return Question(
            template=template,
            variables=order.fill_variables(wanted, template, ground),
            source=ground.rendered(),
            answer_type=self.kind.answer,
            object_to=lambda answer: self.kind.objects(answer, self.case),
            json_schema=self._schema(),
            model=wanted.model,
            extraction=self._extraction(wanted.type),
            tokens_for_answer=self._tokens_for_answer(template.front.tokens_kept_free),
        )

    def _schema(self) -> Any:
        if self.kind.answer is CustomAnswer:
            return self.case.schema
        return self.kind.answer.model_json_schema()

    def _extraction(self, wanted: str) -> Extraction:
        ground = self.case.ground
        language = ground.source_language or ground.language
        return Extraction(wanted, language, ground.passages(), people=ground.people)

    def _tokens_for_answer(self, kept_free: int) -> int:
        if "translation" not in self.kind.fills:
            return kept_free
        tokens = estimate(self.case.ground.document.text())
        return max(kept_free, int(tokens * _TRANSLATION_GROWTH))

    def _write_summary(
        self, facts: Asked, fields: dict[str, Any], asked: list[Asked], counts: Counts
    ) -> Summary:
        ground = self.case.ground
        if facts.degraded:
            extract = answers.SummaryAnswer.model_validate(facts.answer)
            return prose.conclude_extract(extract.summary, ground, counts)
        if prose.has_facts(fields):
            asked.append(self._ask("prose", self._prose_question(fields)))
            written = answers.SummaryAnswer.model_validate(asked[-1].answer)
            summary = prose.conclude_summary(written.summary, ground, counts)
            if summary:
                return summary
        return self._extract_summary(asked, counts)

    def _extract_summary(self, asked: list[Asked], counts: Counts) -> Summary:
        """Sum up in the source's own sentences when no fact held."""
        request = CompletionRequest(
            OFFLINE, messages=(), extraction=self._extraction("summary")
        )

        def run() -> dict[str, Any]:
            return take(answers.SummaryAnswer, self.complete(request)).to_json()

        asked.append(Asked.from_json(self.step("extract", run)))
        counts["summary_extracted"] += 1
        extract = answers.SummaryAnswer.model_validate(asked[-1].answer)
        return prose.conclude_extract(extract.summary, self.case.ground, counts)

    def _write_reply(
        self, fields: dict[str, Any], asked: list[Asked], counts: Counts
    ) -> str:
        asked.append(self._ask("prose", self._prose_question(fields)))
        written = answers.ReplyAnswer.model_validate(asked[-1].answer)
        return prose.conclude_reply(written.reply_draft, self.case, counts)

    def _prose_question(self, fields: dict[str, Any]) -> Question:
        wanted, ground = self.case.order, self.case.ground
        writer = prose.WRITERS[wanted.type]
        template = self.library.get(writer.template)
        return Question(
            template=template,
            variables=order.fill_prose_variables(wanted, template, ground),
            source=prose.render_facts(fields, ground),
            answer_type=writer.answer,
            object_to=lambda answer: writer.objects(answer, self.case),
            json_schema=writer.answer.model_json_schema(),
            model=wanted.model,
            extraction=self._extraction("summary") if writer.extractable else None,
        )

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
            usage=_sum(each.usage for each in asked),
            cached=False,
            degraded=any(each.degraded for each in asked),
            warnings=warnings,
        )


def _sum(usages: Iterable[Usage]) -> Usage:
    return sum(usages, start=Usage())
