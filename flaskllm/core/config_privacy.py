"""The section about what is kept from upstreams."""

from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    StringConstraints,
    model_validator,
)

from flaskllm.core.config_problems import wrong_value
from flaskllm.core.config_sections import SECTION
from flaskllm.core.config_types import Name, Whole
from flaskllm.core.sensitive import RULE_NAMES, OnSensitive, RuleName, Rules
from flaskllm.core.sensitive_patterns import (
    MOST_PATTERNS,
    UnsafePatternError,
    compile_pattern,
)
from flaskllm.core.sensitive_words import words_pattern


def _check_pattern(value: str) -> str:
    try:
        compile_pattern(value)
    except UnsafePatternError as error:
        raise wrong_value(f"a text of {len(value)} characters", str(error)) from None
    return value


Pattern = Annotated[str, AfterValidator(_check_pattern)]
Word = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200)
]


class PrivacySettings(BaseModel):
    """What is kept from upstreams."""

    model_config = SECTION

    on_sensitive: OnSensitive = Field(
        "ignore",
        description="local sends a document that matches one of the rules only to "
        "deployments that are tagged local.",
    )
    rules: tuple[RuleName, ...] = Field(
        RULE_NAMES, description="The built-in rules that are in force."
    )
    patterns: dict[Name, Pattern] = Field(
        {},
        max_length=MOST_PATTERNS,
        description="Rules of your own: a name, and a regular expression whose "
        "repetitions are all bounded.",
    )
    words: dict[Name, tuple[Word, ...]] = Field(
        {},
        max_length=MOST_PATTERNS,
        description="Rules of your own: a name, and whole words or phrases, whatever "
        "their case.",
    )
    keep_days: Whole = Field(
        1,
        ge=1,
        le=3650,
        description="How long a job is kept whose document matches a rule, where "
        "jobs.keep_days is longer.",
    )
    redact: bool = Field(
        False,
        description="Put placeholders for addresses, numbers and names into every "
        "document before a model sees it, unless the request says otherwise.",
    )
    names: tuple[Word, ...] = Field(
        (),
        description="Names besides those of participants and speakers that redaction "
        "hides.",
    )

    @model_validator(mode="after")
    def _has_names_of_its_own(self) -> Self:
        names = [*RULE_NAMES, *self.patterns, *self.words]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise wrong_value(repr(twice[0]), "a name that no other rule has")
        return self

    def compiled(self) -> Rules:
        """Return the rules, ready to search."""
        return Rules(
            self.rules,
            {name: compile_pattern(text) for name, text in self.patterns.items()},
            {name: words_pattern(words) for name, words in self.words.items()},
        )
