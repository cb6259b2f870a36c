"""The facts of one more mail, put together with those of its thread. Pure.

Later mails correct earlier ones by the rules of `finality`, in the order in which they
were sent.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flaskllm.core.folding import fold
from flaskllm.services.digests.finality import settle_items, settle_statements
from flaskllm.services.digests.sameness import distinct
from flaskllm.services.digests.thread_memory import KINDS, Fact, Facts, Known, Mail
from flaskllm.services.digests.types import ActionItem, Evidence

_SETTLE: Mapping[str, Any] = {
    "action_items": settle_items,
    "decisions": settle_statements,
    "amounts": settle_statements,
}


def join(earlier: Facts, mail: Mail, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what holds of a thread, with the facts of one more mail.

    Args:
        earlier: Facts of all other mails.
        mail: The one more.
        fields: Its facts by kind; what is none is left out.
    """
    return {
        name: _join_kind(name, earlier.get(name, ()), mail, fields[name])
        for name in KINDS
        if name in fields
    }


def _join_kind(
    name: str, earlier: Sequence[Known], mail: Mail, fresh: Sequence[Fact]
) -> tuple[Known, ...]:
    before = [each for each in earlier if not _is_restated(each, mail, fresh)]
    mails: dict[Evidence, Mail] = {each.fact.evidence: each.mail for each in before}
    for fact in fresh:
        mails.setdefault(fact.evidence, mail)
    facts = distinct(([each.fact for each in before], fresh))
    in_order = sorted(facts, key=lambda fact: mails[fact.evidence].at)
    settled = _SETTLE.get(name, tuple)(in_order)
    return tuple(Known(mails[fact.evidence], fact) for fact in settled)


def _is_restated(earlier: Known, mail: Mail, fresh: Iterable[Fact]) -> bool:
    """Tell whether a later mail says a task again, in the same words, for another day.

    "Please pay by Friday" means another Friday in each mail.
    """
    if not isinstance(earlier.fact, ActionItem) or mail.at <= earlier.mail.at:
        return False
    quote = fold(earlier.fact.evidence.quote).text
    return any(
        isinstance(fact, ActionItem)
        and fact.due not in (None, earlier.fact.due)
        and fold(fact.evidence.quote).text == quote
        for fact in fresh
    )
