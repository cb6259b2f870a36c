"""What the end of an attempt says about its deployment."""

import pytest

from flaskllm.core import errors
from flaskllm.llm.health.verdicts import code_of, judge

FAILED = [
    errors.LLMUnavailable(),
    errors.LLMServerError(),
    errors.LLMTimeout(),
    errors.LLMProtocolError(),
    errors.LLMAPIError(),
]
NOTHING = [
    errors.LLMInvalidRequest(),
    errors.LLMContextTooLong(),
    errors.LLMRefused(),
    errors.LLMAnswerDiffers(),
    errors.NoModelConfigured(),
    errors.CallerGone(),
    errors.InvalidInputError(),
    errors.BudgetExceeded(),
    errors.InternalError(),
    GeneratorExit(),
    KeyError("a mistake of ours"),
]


def name(error):
    return type(error).__name__


@pytest.mark.parametrize("error", FAILED, ids=name)
def test_what_a_deployment_fails_at_counts_unless_it_was_the_callers_doing(error):
    assert judge(error) == "failed"
    assert judge(error, is_callers_fault=True) == "nothing"


@pytest.mark.parametrize("error", NOTHING, ids=name)
def test_what_callers_or_we_did_says_nothing(error):
    assert judge(error) == "nothing"


@pytest.mark.parametrize("is_callers_fault", [True, False])
@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (errors.LLMRateLimited(), "limited"),
        (errors.LLMCredentialRejected(), "rejected"),
        (None, "succeeded"),
    ],
)
def test_a_word_of_the_upstream_holds_whoever_ended_it(
    error, verdict, is_callers_fault
):
    assert judge(error, is_callers_fault) == verdict


def test_a_mistake_of_the_settings_is_no_failure():
    assert judge(errors.LLMRequestRejected()) == "unanswered"


def test_every_error_of_a_model_has_its_verdict():
    kinds = [errors.LLMAPIError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())

    verdicts = {kind.__name__: judge(kind()) for kind in kinds}

    assert sorted(name for name, said in verdicts.items() if said == "failed") == [
        "LLMAPIError",
        "LLMProtocolError",
        "LLMServerError",
        "LLMTimeout",
        "LLMUnavailable",
    ]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, ""),
        (errors.LLMUnavailable(), "LLM_UNAVAILABLE"),
        (errors.LLMRateLimited(), "LLM_RATE_LIMITED"),
        (errors.LLMContextTooLong(), ""),
        (ValueError(), ""),
    ],
)
def test_only_what_speaks_against_a_deployment_is_its_last_error(error, code):
    assert code_of(judge(error), error) == code
