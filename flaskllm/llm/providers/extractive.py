"""The built-in provider: answers with what stands in the document, without a model.

It reads nothing but `request.extraction` and answers in the digest's own names,
so that the pipeline checks it as it checks a model. Sentences are picked by
TextRank (`extraction/ranking.py`), keywords by RAKE (`extraction/keywords.py`),
tasks and decisions by the phrases of each language (`extraction/cues/`). Of a very
long document the first million characters are read (`extraction/reading.py`). The
same input gives the same bytes; nothing is sent anywhere.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from flaskllm.core import entities
from flaskllm.core.errors import NoModelConfigured
from flaskllm.llm.catalog import HOW_TO_ADD_A_MODEL
from flaskllm.llm.extraction.actions import Action, find_actions, find_decisions
from flaskllm.llm.extraction.keywords import find_keywords
from flaskllm.llm.extraction.ranking import choose
from flaskllm.llm.extraction.reading import Sentence, read
from flaskllm.llm.types import Completion, CompletionRequest, Extraction, Usage

_Sentences = Sequence[Sentence]
_Answer = dict[str, Any]

# A reader of two hundred facts reads none; the pipeline takes no more either.
_MOST_FACTS = 50
_MOST_ENTITIES = 200
# The second best sentence joins the first while both are quickly read.
_SHORT_WORDS = 40
_CANNOT = (
    "Only the built-in extractive provider is available, and it cannot answer {what}. "
    + HOW_TO_ADD_A_MODEL
)


class Extractive:
    """Answers digests of type summary, action_items, keywords and entities."""

    def answer(self, request: CompletionRequest) -> Completion:
        """Return the extract as JSON text.

        Raises:
            NoModelConfigured: No extract can answer this. A retry does not help.
        """
        extraction = request.extraction
        find = _FINDERS.get(extraction.wanted) if extraction else None
        if extraction is None or find is None:
            what = f"`{extraction.wanted}`" if extraction else "a conversation"
            raise NoModelConfigured(details=_CANNOT.format(what=what))
        text = json.dumps(find(read(extraction), extraction), ensure_ascii=False)
        return Completion(text, "stop", Usage(), "extractive")


def _answer_summary(sentences: _Sentences, extraction: Extraction) -> _Answer:
    return {
        "summary": _summarise(sentences, extraction.words),
        **_answer_action_items(sentences, extraction),
        "decisions": [_state(s) for s in find_decisions(sentences)[:_MOST_FACTS]],
        "dates": _find_dates(sentences)[:_MOST_FACTS],
        **_answer_keywords(sentences, extraction),
    }


def _answer_action_items(sentences: _Sentences, extraction: Extraction) -> _Answer:
    actions = find_actions(sentences, extraction.people)[:_MOST_FACTS]
    return {"action_items": [_describe(action) for action in actions]}


def _answer_keywords(sentences: _Sentences, extraction: Extraction) -> _Answer:
    return {"keywords": find_keywords(sentences)}


def _answer_entities(sentences: _Sentences, extraction: Extraction) -> _Answer:
    found: dict[tuple[str, str], _Answer] = {}
    for sentence in sentences:
        for kind, text in _find_entities(sentence):
            entity = {"text": text, "kind": kind, "evidence": _cite(sentence)}
            found.setdefault((kind, text.casefold()), entity)
    return {"entities": list(found.values())[:_MOST_ENTITIES]}


_FINDERS: Mapping[str, Callable[[_Sentences, Extraction], _Answer]] = {
    "summary": _answer_summary,
    "action_items": _answer_action_items,
    "keywords": _answer_keywords,
    "entities": _answer_entities,
}


def _summarise(sentences: _Sentences, words: int) -> _Answer:
    """Say the best sentence or two at once, the others as points, in source order."""
    best = choose(sentences, words)
    # Statements sum up; questions only where nothing is stated.
    heads = [sentence for sentence in best if not sentence.is_question] or best
    together = sum(sentence.length for sentence in heads[:2])
    head = heads[: 2 if together <= _SHORT_WORDS else 1]
    rest = [sentence for sentence in best if not any(sentence is each for each in head)]
    return {
        "short": " ".join(_in_source_order(head, sentences)),
        "bullets": _in_source_order(rest, sentences),
    }


def _in_source_order(picked: _Sentences, sentences: _Sentences) -> list[str]:
    wanted = set(map(id, picked))
    return [_on_one_line(each) for each in sentences if id(each) in wanted]


def _describe(action: Action) -> _Answer:
    return {
        "task": _on_one_line(action.sentence),
        "owner": action.owner,
        "due": None,
        "due_text": action.due_text,
        "status": "open",
        "evidence": _cite(action.sentence),
    }


def _state(sentence: Sentence) -> _Answer:
    return {"text": _on_one_line(sentence), "evidence": _cite(sentence)}


def _find_dates(sentences: _Sentences) -> list[_Answer]:
    found: dict[str, _Answer] = {}
    for sentence in sentences:
        for text in _find_date_words(sentence):
            date = {"date": None, "text": text, "evidence": _cite(sentence)}
            found.setdefault(text.casefold(), date)
    return list(found.values())


def _find_entities(sentence: Sentence) -> Iterator[tuple[str, str]]:
    if not sentence.shown:
        return
    for entity in entities.find(sentence.text):
        yield entity.kind, entity.text
    for text in _find_date_words(sentence):
        yield "date", text


def _find_date_words(sentence: Sentence) -> list[str]:
    return [mention.text for mention in sentence.mentions if sentence.shown]


def _cite(sentence: Sentence) -> _Answer:
    return {"quote": sentence.text, "part": sentence.part}


def _on_one_line(sentence: Sentence) -> str:
    return " ".join(sentence.text.split())
