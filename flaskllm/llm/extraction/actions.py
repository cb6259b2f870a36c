"""Tasks and decisions, found by the phrases that people use for them.

A sentence counts when one of its clauses holds a cue of its language and none
that takes the cue back. What is refused or withdrawn a moment later is left
out. In a language without cues only a question that names a date counts.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from flaskllm.llm.extraction.cues import CUES
from flaskllm.llm.extraction.cues.form import Cues, compile_phrases
from flaskllm.llm.extraction.people import People, find_opening_name, read_people
from flaskllm.llm.extraction.reading import Sentence
from flaskllm.llm.extraction.words import empty_words, find_terms

_CLAUSE_END = re.compile(r"[,;:–—(]\s|—")
_SMALL_WORD = r"\W*(?:[^\W\d_]{1,5},? )?"
# Speech runs on: in so long a sentence a cue says little of the rest.
_MOST_WORDS = 35
_FEWEST_CLAUSE_WORDS = 2
# How many sentences later a refusal or a retraction is looked for.
_REPLY_REACH = 3
_RETRACTION_REACH = 8


@dataclass(frozen=True, slots=True)
class Action:
    """A task: the sentence that sets it, who took it, its date words."""

    sentence: Sentence
    owner: str | None
    due_text: str | None


@dataclass(frozen=True, slots=True)
class _Claim:
    """What the cues say: a task, whose it is, and whether it was only asked for."""

    owner: str | None
    asked: bool = False


def find_actions(
    sentences: Sequence[Sentence], others: Iterable[str] = ()
) -> list[Action]:
    """Return the tasks that the sentences set, in order, none twice.

    `others` are whole names of people who belong to the document, like those
    who speak in it.
    """
    people = read_people(sentences, others)
    actions: dict[str, tuple[int, Action]] = {}
    for index, sentence in enumerate(sentences):
        _withdraw(index, sentence, actions)
        following = sentences[index + 1 : index + 1 + _REPLY_REACH]
        if action := _find_action(sentence, following, people):
            actions.setdefault(sentence.folded.casefold(), (index, action))
    return [action for _, action in actions.values()]


def find_decisions(sentences: Sequence[Sentence]) -> list[Sentence]:
    """Return the sentences that state a decision, in order, none twice."""
    decided: dict[str, Sentence] = {}
    for sentence in sentences:
        if _may_count(sentence) and _states_decision(sentence):
            decided.setdefault(sentence.folded.casefold(), sentence)
    return list(decided.values())


def _find_action(
    sentence: Sentence, following: Sequence[Sentence], people: People
) -> Action | None:
    if not _may_count(sentence):
        return None
    claim = _claim(sentence, people)
    if claim is None or not _has_substance(sentence) or _is_refused(claim, following):
        return None
    return Action(sentence, claim.owner, _find_due_text(sentence))


def _may_count(sentence: Sentence) -> bool:
    if not sentence.shown or not sentence.terms or sentence.length > _MOST_WORDS:
        return False
    cues = CUES.get(sentence.language)
    if cues is None:
        return True
    condition = compile_phrases(cues.condition, before=_SMALL_WORD)
    return condition.match(sentence.folded) is None


def _states_decision(sentence: Sentence) -> bool:
    cues = CUES.get(sentence.language)
    if cues is None or sentence.is_question:
        return False
    return any(_clauses_with(sentence, cues.decision, cues.undecided))


def _claim(sentence: Sentence, people: People) -> _Claim | None:
    cues = CUES.get(sentence.language)
    if cues is None:
        return _claim_without_cues(sentence, people)
    if any(_clauses_with(sentence, cues.request, cues.idle)):
        return _Claim(people.find_addressed(sentence.folded), asked=True)
    if sentence.is_question:
        return None
    if any(_clauses_with(sentence, cues.commitment, cues.idle)):
        return _Claim(sentence.speaker)
    if any(_clauses_with(sentence, cues.obligation, cues.idle)):
        return _Claim(None)
    name = _find_assigned(sentence, cues)
    return _Claim(people.complete(name)) if name else None


def _claim_without_cues(sentence: Sentence, people: People) -> _Claim | None:
    """Count a question that names a date: weak evidence, but in any language."""
    if not sentence.is_question or not sentence.mentions:
        return None
    return _Claim(people.find_addressed(sentence.folded), asked=True)


def _clauses_with(
    sentence: Sentence, wanted: tuple[str, ...], unwanted: tuple[str, ...]
) -> Iterator[str]:
    """Yield the clauses that hold a wanted phrase and no unwanted one."""
    for clause in _split_clauses(sentence.folded):
        is_unwanted = compile_phrases(unwanted).search(clause)
        if not is_unwanted and compile_phrases(wanted).search(clause):
            yield clause


def _split_clauses(text: str) -> Iterator[str]:
    """Yield the clauses; one of a word or two ("Please, ...") joins the next."""
    held: list[str] = []
    for piece in _CLAUSE_END.split(text):
        held += piece.split()
        if len(held) > _FEWEST_CLAUSE_WORDS:
            yield " ".join(held)
            held = []
    if held:
        yield " ".join(held)


def _find_assigned(sentence: Sentence, cues: Cues) -> str | None:
    """Return the name before "will send" and the like, when it is a name."""
    found = compile_phrases(cues.assignment).search(sentence.folded)
    if found is None or compile_phrases(cues.idle).search(found[0]):
        return None
    name = find_opening_name(sentence.folded[: found.start()])
    if name is None:
        return None
    # "The", "This" and "Everybody" open a sentence with a capital too.
    is_empty = name.split()[0].casefold() in empty_words(sentence.language)
    return None if is_empty else name


def _has_substance(sentence: Sentence) -> bool:
    """Tell whether more is said than when: "by Friday, okay" is no task."""
    rest = sentence.text
    for mention in reversed(sentence.mentions):
        rest = rest[: mention.start] + " " + rest[mention.end :]
    return bool(find_terms(rest, sentence.language))


def _find_due_text(sentence: Sentence) -> str | None:
    """Return the date words after "by" and the like, else the first ones."""
    mentions, cues = sentence.mentions, CUES.get(sentence.language)
    if not mentions or cues is None:
        return mentions[0].text if mentions else None
    deadline = compile_phrases(cues.deadline, after=r"\s*$")
    due = (m for m in mentions if deadline.search(sentence.text[: m.start]))
    return next(due, mentions[0]).text


def _is_refused(claim: _Claim, next_sentences: Sequence[Sentence]) -> bool:
    """Tell whether the one who was asked begins the reply with a no."""
    if not claim.asked or claim.owner is None:
        return False
    reply = next((s for s in next_sentences if s.speaker == claim.owner), None)
    cues = CUES.get(reply.language) if reply else None
    if reply is None or cues is None:
        return False
    return compile_phrases(cues.refusal).match(reply.folded) is not None


def _withdraw(
    index: int, sentence: Sentence, actions: dict[str, tuple[int, Action]]
) -> None:
    """Take out the last task of a speaker who takes it back."""
    cues = CUES.get(sentence.language)
    if cues is None or not compile_phrases(cues.retraction).search(sentence.folded):
        return
    for key, (said, action) in reversed(actions.items()):
        if index - said > _RETRACTION_REACH:
            return
        if action.sentence.speaker == sentence.speaker:
            del actions[key]
            return
