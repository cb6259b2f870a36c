"""What a language's table of cues holds."""

import re
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Cues:
    """The phrases of one language that mark what people agree on.

    Every field lists alternatives: regular expressions without anchors, matched
    on word borders, in any case, on a sentence with plain apostrophes. Write
    phrases as people say them, and rather too few: a missed task is read in
    the mail, a false one is believed.

    `commitment`: the speaker takes something on. `request`: somebody is asked.
    `obligation`: something must be done, and nobody is named. `assignment`
    follows a name: "NAME will send". `idle` marks clauses that look like one of
    these and are not: talk about talk, wishes, the past. `decision` and
    `undecided` are the same pair for decisions. `condition` opens a sentence in
    which nothing is certain. `refusal` begins the reply of somebody who will
    not; `retraction` takes back what was said before. `deadline` stands before
    the date that counts.
    """

    commitment: tuple[str, ...]
    request: tuple[str, ...]
    obligation: tuple[str, ...]
    assignment: tuple[str, ...]
    idle: tuple[str, ...]
    decision: tuple[str, ...]
    undecided: tuple[str, ...]
    condition: tuple[str, ...]
    refusal: tuple[str, ...]
    retraction: tuple[str, ...]
    deadline: tuple[str, ...]


@cache
def compile_phrases(
    phrases: tuple[str, ...], before: str = "", after: str = ""
) -> re.Pattern[str]:
    """Return a pattern that finds any of the phrases as whole words.

    `before` and `after` are patterns of what must stand around the phrase.
    """
    phrase = rf"(?<![^\W_])(?:{'|'.join(phrases)})(?![^\W_])"
    return re.compile(before + phrase + after, re.IGNORECASE)
