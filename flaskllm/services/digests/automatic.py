"""A machine's mail is told as such and is not digested, unless the order says so."""

from collections import Counter
from collections.abc import Mapping

from flaskllm.core.ids import new_id
from flaskllm.inputs.document import Automatic
from flaskllm.llm.types import Usage
from flaskllm.services.digests.case import Case
from flaskllm.services.digests.notices import list_warnings
from flaskllm.services.digests.render import render
from flaskllm.services.digests.types import Digest, DigestResult, Participant, Summary

NOBODY = "none"
"""The provider and the model of a digest that no model was asked for."""

_FALLBACK = "en"
# What a machine generates otherwise, such as a notification, may be news: it is
# labelled and digested.
_SENTENCES: Mapping[Automatic, Mapping[str, str]] = {
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
}
_WARNING = (
    "automatic_mail_not_digested: no model was asked; "
    "the field `automatic` with `digest` asks one"
)


def skip(case: Case) -> DigestResult | None:
    """Return what stands for the digest of a machine's mail, made without a model.

    Returns:
        None where the document is to be digested.
    """
    wanted, ground = case.order, case.ground
    kind = ground.document.automatic
    sentences = _SENTENCES.get(kind) if kind else None
    if wanted.automatic == "digest" or sentences is None:
        return None
    language = ground.language if ground.language in sentences else _FALLBACK
    warnings = (*list_warnings(ground, Counter(), (), {}), _WARNING)
    people = ground.document.participants
    digest = Digest(
        language=language,
        kind=ground.document.kind,
        summary=Summary(sentences[language]),
        participants=tuple(Participant(p.name, p.email, p.role) for p in people),
        warnings=warnings,
    )
    is_object = wanted.type == "custom" or wanted.response_format == "json"
    form = wanted.response_format
    return DigestResult(
        id=new_id("dig"),
        type=wanted.type,
        text=render(digest, wanted.type if is_object else "summary", form),
        digest=digest,
        provider=NOBODY,
        model=NOBODY,
        usage=Usage(),
        cached=False,
        degraded=False,
        warnings=warnings,
        form=ground.document.form,
    )
