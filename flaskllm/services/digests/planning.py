"""From the questions of a digest to its plan, and to prose that fits. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from flaskllm.core.errors import InvalidInputError
from flaskllm.llm import prices
from flaskllm.llm.outlook import Prospect
from flaskllm.llm.tokens import estimate
from flaskllm.services.digests import prose
from flaskllm.services.digests.answers import ActionItemsAnswer, FactsAnswer
from flaskllm.services.digests.case_questions import Questions
from flaskllm.services.digests.merging import can_merge
from flaskllm.services.digests.pieces import Count, Piece, cut
from flaskllm.services.digests.question import Question
from flaskllm.services.digests.reducing import fit
from flaskllm.services.digests.sizes import (
    Bill,
    Plan,
    Space,
    at_once_of,
    bill_of,
    find_space,
    sum_of,
)

# Of these the same fact of two pieces is known by its evidence.
_REPEATABLE = (FactsAnswer, ActionItemsAnswer)
# So many tokens of facts a piece is supposed to bring to the prose.
_FACTS_OF_PIECE: Final = 400
# However long a thread of mails is, its facts take no more of a prompt.
_FACTS_OF_THREAD: Final = 1_200


@dataclass(frozen=True, slots=True)
class Written:
    """A question for prose that fits, and how many facts it leaves out."""

    question: Question
    left_out: int = 0


def make_plan(questions: Questions, prospects: Sequence[Prospect]) -> Plan:
    """Return the plan of a digest.

    Args:
        questions: What is asked.
        prospects: Whom the question about the whole document may go to.

    Raises:
        InvalidInputError: It does not fit, and pieces of it could not be put together.
    """
    question = questions.about(questions.all_of_it)
    space = find_space(questions.asking(question), prospects)
    pieces: tuple[Piece, ...] = (questions.all_of_it,)
    if space is not None:
        repeats = issubclass(questions.kind.answer, _REPEATABLE)
        count = _as_sent(questions, space.count)
        pieces = cut(questions.ground, space.tokens, count, repeats=repeats)
    if len(pieces) > 1:
        _check_mergeable(questions)
    tokens = None if space is None else space.tokens_for_answer
    first = _first(prospects, space)
    if first is None:
        return Plan(0, 0, 0, 0, pieces)
    requests = (questions.about(piece, tokens).request() for piece in pieces)
    bills = [bill_of(request, first) for request in requests]
    if questions.writes_prose:
        bills.append(_bill_of_prose(questions, len(pieces), first))
    total = sum_of(bills)
    return Plan(
        len(bills),
        total.tokens_input,
        total.tokens_output_most,
        total.nanos,
        pieces,
        tokens,
        at_once_of(prospects),
    )


def fit_prose(
    questions: Questions,
    question: Question,
    fields: Mapping[str, Any],
    prospects: Sequence[Prospect],
) -> Written:
    """Return the question for prose, made to fit: without quotes, then with less.

    Args:
        questions: Those that `question` is of.
        question: That for the prose of all facts.
        fields: The facts.
        prospects: Whom it may go to.
    """
    space = find_space(questions.asking(question), prospects)
    count_text = _as_sent(questions, estimate if space is None else space.count)
    ground = questions.case.ground
    head = count_text(prose.render_facts({}, ground))
    most = None if space is None else space.tokens - head
    if questions.news is not None:
        most = min(_FACTS_OF_THREAD if most is None else most, _FACTS_OF_THREAD)
    if most is None or (space is None and count_text(question.source) <= head + most):
        return Written(question)

    def count(name: str, fact: Any) -> int:
        return count_text(prose.render_fact(name, fact, quoted=False)) + 1

    kept = fit(fields, most, count)
    fewer = replace(
        question,
        source=prose.render_facts(kept, ground, quoted=False),
        tokens_for_answer=space.tokens_for_answer if space else None,
    )
    return Written(fewer, prose.count_facts(fields) - prose.count_facts(kept))


def _as_sent(questions: Questions, count: Count) -> Count:
    """Return what counts a text as a model reads it: placeholders are longer."""
    return lambda text: count(questions.shield.text(text))


def _check_mergeable(questions: Questions) -> None:
    schema = questions.case.schema
    if schema is None or can_merge(schema):
        return
    raise InvalidInputError.of(
        "variables.schema",
        "is for one answer, and the document does not fit into one call",
        "a schema whose properties are all arrays, a model with a larger context "
        "window, or a shorter document",
    )


def _first(prospects: Sequence[Prospect], space: Space | None) -> Prospect | None:
    """Return whom the calls most likely go to; None where no model is asked."""
    if space is not None:
        return space.prospect
    if not prospects or prospects[0].is_local:
        return None
    upstream = [each for each in prospects if not each.is_local]
    return next((each for each in upstream if each.fits), upstream[0])


def _bill_of_prose(questions: Questions, pieces: int, prospect: Prospect) -> Bill:
    """Return what the prose is supposed to take: the facts are not known yet."""
    question = questions.prose({})
    bare = bill_of(question.request(), prospect)
    facts = pieces * _FACTS_OF_PIECE
    most = prospect.room.tokens if prospect.room else None
    if most is not None:
        facts = max(0, min(facts, most - bare.tokens_input))
    return _with_input(bare, facts, prospect)


def _with_input(bill: Bill, tokens: int, prospect: Prospect) -> Bill:
    price = prices.price_of(prospect.deployment)
    more = None if price is None else prices.expected_cost_nanos(price, tokens, 0)
    nanos = None if bill.nanos is None or more is None else bill.nanos + more
    return Bill(bill.tokens_input + tokens, bill.tokens_output_most, nanos)
