"""The questions of one digest: about the document, a piece of it, or its facts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from pydantic import BaseModel

from flaskllm.llm.prompts import Library
from flaskllm.llm.tokens import estimate
from flaskllm.llm.types import CompletionRequest, Extraction
from flaskllm.services.digests import order, prose
from flaskllm.services.digests.case import Case
from flaskllm.services.digests.ground import Ground
from flaskllm.services.digests.kinds import CustomAnswer, Kind
from flaskllm.services.digests.pieces import Piece, show, whole
from flaskllm.services.digests.question import Question
from flaskllm.services.digests.shielding import NO_SHIELD, Shield
from flaskllm.services.digests.sizes import Asking

# A translation is about as long as its source; scripts differ by about a half.
_TRANSLATION_GROWTH = 1.5


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked for one order; the ground of its case is the whole document.

    `shield` stands between it and those who are asked. `news` is what they are asked
    about where the rest of a mail is known, and what is known then goes into its prose.
    """

    case: Case
    kind: Kind
    library: Library
    shield: Shield = NO_SHIELD
    news: Ground | None = None

    @property
    def ground(self) -> Ground:
        """Return what is asked about."""
        return self.news or self.case.ground

    @property
    def writes_prose(self) -> bool:
        """Tell whether prose is written from the facts."""
        return self.case.order.type in prose.WRITERS

    @property
    def all_of_it(self) -> Piece:
        """Return the piece that is all that is asked about."""
        return whole(self.ground)

    def about(self, piece: Piece, tokens_for_answer: int | None = None) -> Question:
        """Return the question about a piece; what is objected to is read on it alone.

        Raises:
            InvalidInputError: The order does not fit its template; the field is named.
        """
        wanted = self.case.order
        shown = replace(self.case, ground=show(self.ground, piece))
        template = order.choose_template(wanted, self.library)
        free = template.front.tokens_kept_free
        return Question(
            template=template,
            variables=order.fill_variables(wanted, template, shown.ground),
            source=shown.ground.rendered(),
            answer_type=self.kind.answer,
            object_to=lambda answer: self.kind.objects(answer, shown),
            json_schema=self._schema(),
            model=wanted.model,
            extraction=self.extraction(wanted.type, shown.ground),
            tokens_for_answer=tokens_for_answer or self._tokens_for_answer(free),
            shield=self.shield,
            varying=self._varying,
        )

    def prose(self, fields: Mapping[str, Any]) -> Question:
        """Return the question for the prose of these facts."""
        wanted, ground = self.case.order, self.case.ground
        writer = prose.WRITERS[wanted.type]
        template = self.library.get(writer.template)
        return Question(
            template=template,
            variables=order.fill_prose_variables(wanted, template, ground),
            source=prose.render_facts(fields, ground, quoted=self.news is None),
            answer_type=writer.answer,
            object_to=lambda answer: writer.objects(answer, self.case),
            json_schema=_schema_of(writer.answer),
            model=wanted.model,
            extraction=self.extraction("summary") if writer.extractable else None,
            is_json=True,
            shield=self.shield,
            varying=self._varying,
        )

    def asking(self, question: Question) -> Asking:
        """Return how large a question is that these made."""

        def request(source: str, tokens: int | None) -> CompletionRequest:
            return replace(question, source=source, tokens_for_answer=tokens).request()

        is_prose = question.answer_type is not self.kind.answer
        growth = 0.0 if is_prose or not self._translates else _TRANSLATION_GROWTH
        return Asking(request, question.source, growth)

    def extraction(self, wanted: str, ground: Ground | None = None) -> Extraction:
        """Return what the provider without a model reads."""
        ground = ground or self.ground
        language = ground.source_language or ground.language
        return Extraction(wanted, language, ground.passages(), people=ground.people)

    @property
    def _varying(self) -> tuple[tuple[str, str], ...]:
        """Return the time of arrival where the order's words are read from it.

        What is due on which day is the same for all that arrive on one day.
        """
        ground = self.case.ground
        if self.case.order.reference_time or ground.document.sent_at:
            return ()
        return ((ground.reference.isoformat(), ground.reference.date().isoformat()),)

    @property
    def _translates(self) -> bool:
        return "translation" in self.kind.fills

    def _schema(self) -> Any:
        if self.kind.answer is CustomAnswer:
            return self.case.schema
        return _schema_of(self.kind.answer)

    def _tokens_for_answer(self, kept_free: int) -> int:
        if not self._translates:
            return kept_free
        tokens = estimate(self.case.ground.document.text())
        return max(kept_free, int(tokens * _TRANSLATION_GROWTH))


@cache
def _schema_of(answer: type[BaseModel]) -> Mapping[str, Any]:
    # Making it takes two milliseconds, and each piece needs it. Nobody changes it.
    return answer.model_json_schema()
