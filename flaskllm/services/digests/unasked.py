"""What no model is asked about: a machine's mail, and a mail without any text."""

from collections import Counter
from collections.abc import Mapping
from typing import Literal

from flaskllm.core.ids import new_id
from flaskllm.inputs.document import Document
from flaskllm.llm.types import Usage
from flaskllm.services.digests.case import Case
from flaskllm.services.digests.ground import Ground
from flaskllm.services.digests.notices import list_warnings
from flaskllm.services.digests.render import render
from flaskllm.services.digests.saying import Counts, say
from flaskllm.services.digests.types import (
    Digest,
    DigestOrder,
    DigestResult,
    Participant,
    Summary,
)

NOBODY = "none"
"""The provider and the model of a digest that no model was asked for."""

Reason = Literal["bounce", "auto_reply", "read_receipt", "empty"]

_FALLBACK = "en"
# What a machine generates otherwise, such as a notification, may be news: it is
# labelled and digested.
_SENTENCES: Mapping[Reason, Mapping[str, str]] = {
    "bounce": {
        "en": "A mail could not be delivered; this notice was not digested.",
        "de": "Eine E-Mail war unzustellbar; diese Meldung wurde nicht ausgewertet.",
        "fr": "Un e-mail n'a pas pu être remis ; cet avis n'a pas été analysé.",
        "es": "Un correo no se pudo entregar; este aviso no se ha analizado.",
    },
    "auto_reply": {
        "en": "Automatic reply; not digested.",
        "de": "Automatische Antwort; nicht ausgewertet.",
        "fr": "Réponse automatique ; non analysée.",
        "es": "Respuesta automática; no analizada.",
    },
    "read_receipt": {
        "en": "Read receipt; not digested.",
        "de": "Lesebestätigung; nicht ausgewertet.",
        "fr": "Accusé de lecture ; non analysé.",
        "es": "Confirmación de lectura; no analizada.",
    },
    "empty": {
        "en": "The mail holds no text.",
        "de": "Die E-Mail enthält keinen Text.",
        "fr": "L'e-mail ne contient aucun texte.",
        "es": "El correo no contiene texto.",
    },
}
_AUTOMATIC = (
    "automatic_mail_not_digested: no model was asked; "
    "the field `automatic` with `digest` asks one"
)
_EMPTY = "empty_mail_not_digested: no model was asked; it has a subject at most"


def answer(case: Case) -> DigestResult | None:
    """Return what stands for a digest that needs no model.

    Its text tells a reader what came where the type makes a report. Where the text
    is what was asked for, such as a reply, there is none.

    Returns:
        None where the document is to be digested.
    """
    wanted, ground = case.order, case.ground
    reason = _reason(wanted, ground.document)
    if reason is None:
        return None
    counts: Counts = Counter()
    said = _subject(ground, counts) if reason == "empty" else ""
    own = ground.source_language or ground.language
    language = own if said else _language(reason, ground)
    warning = _EMPTY if reason == "empty" else _AUTOMATIC
    warnings = (*list_warnings(ground, counts, (), {}), warning)
    people = ground.document.participants
    digest = Digest(
        language=language,
        kind=ground.document.kind,
        summary=Summary(said or _SENTENCES[reason][language]),
        participants=tuple(Participant(p.name, p.email, p.role) for p in people),
        warnings=warnings,
    )
    return _result(wanted, digest, ground.document.form)


def _result(wanted: DigestOrder, digest: Digest, form: str) -> DigestResult:
    return DigestResult(
        id=new_id("dig"),
        type=wanted.type,
        text=_text(wanted, digest),
        digest=digest,
        provider=NOBODY,
        model=NOBODY,
        usage=Usage(),
        cached=False,
        degraded=False,
        warnings=digest.warnings,
        form=form,
    )


def _reason(wanted: DigestOrder, document: Document) -> Reason | None:
    kind = document.automatic
    if wanted.automatic == "skip" and kind is not None and kind != "generated":
        return kind
    return "empty" if document.form == "mail" and not _has_text(document) else None


def _has_text(document: Document) -> bool:
    """Tell whether anything but the subject says something, an attachment too."""
    return any(part.kind != "subject" and part.text.strip() for part in document.parts)


def _subject(ground: Ground, counts: Counts) -> str:
    return say(ground.texts.get("subject", ""), ground, counts)


def _language(reason: Reason, ground: Ground) -> str:
    return ground.language if ground.language in _SENTENCES[reason] else _FALLBACK


def _text(wanted: DigestOrder, digest: Digest) -> str:
    form = wanted.response_format
    is_report = wanted.type == "action_items" and form != "json"
    return render(digest, "summary" if is_report else wanted.type, form)
