"""Phrases that mark tasks and decisions: one file for each language.

To add a language write its file after the pattern of another one and name it in
the table below; nothing else changes.
"""

from collections.abc import Mapping

from flaskllm.llm.extraction.cues import (
    dutch,
    english,
    french,
    german,
    italian,
    polish,
    portuguese,
    spanish,
    swedish,
)
from flaskllm.llm.extraction.cues.form import Cues

CUES: Mapping[str, Cues] = {
    "de": german.CUES,
    "en": english.CUES,
    "es": spanish.CUES,
    "fr": french.CUES,
    "it": italian.CUES,
    "nl": dutch.CUES,
    "pl": polish.CUES,
    "pt": portuguese.CUES,
    "sv": swedish.CUES,
}
