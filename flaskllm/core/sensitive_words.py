"""Whole words in running text, and a short list of those about health. Pure.

The list is small on purpose: each word names an illness, a treatment or a finding of
a person, in English, German, French or Spanish. Words of daily talk ("sick", "krank")
are left out.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from flaskllm.core.sensitive_accounts import Span

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")

_HEALTH = """
    diagnosis, diagnosed with, chemotherapy, radiotherapy, biopsy, tumour, tumor,
    cancer, leukaemia, leukemia, diabetes, diabetic, hiv, hepatitis, epilepsy,
    schizophrenia, bipolar disorder, depression, antidepressant, antidepressants,
    psychiatrist, psychiatric, psychotherapy, pregnancy, pregnant, miscarriage,
    abortion, dialysis, asthma, dementia, alzheimer, parkinson, multiple sclerosis,
    medical record, medical records, blood test, test result positive, prescription,
    sick note, disability, insulin, stroke patient, heart attack,
    sexually transmitted, diagnose, diagnosen, chemotherapie, strahlentherapie,
    biopsie, tumore, krebs, krebserkrankung, leukämie, epilepsie, schizophrenie,
    depressionen, antidepressiva, psychiater, psychiaterin, psychiatrie,
    psychotherapie, schwangerschaft, schwanger, fehlgeburt, abtreibung, dialyse,
    demenz, multiple sklerose, krankenakte, patientenakte, blutwerte, blutbild,
    arztbrief, befund, attest, krankmeldung, krankschreibung,
    arbeitsunfähigkeitsbescheinigung, schwerbehinderung, herzinfarkt, schlaganfall,
    rezeptpflichtig, diagnostic médical, chimiothérapie, radiothérapie, tumeur,
    leucémie, diabète, diabétique, vih, hépatite, épilepsie, schizophrénie,
    dépression, antidépresseur, antidépresseurs, psychiatre, psychiatrique,
    psychothérapie, grossesse, enceinte, fausse couche, avortement, ivg, asthme,
    démence, sclérose en plaques, dossier médical, prise de sang, ordonnance médicale,
    arrêt maladie, arrêt de travail, invalidité, infarctus, crise cardiaque,
    diagnóstico, quimioterapia, radioterapia, tumores, cáncer, leucemia, diabético,
    diabética, vih positivo, epilepsia, esquizofrenia, depresión, antidepresivo,
    antidepresivos, psiquiatra, psiquiátrico, psicoterapia, embarazo, embarazada,
    aborto, diálisis, demencia, esclerosis múltiple, historia clínica,
    historial médico, análisis de sangre, receta médica, baja médica, discapacidad,
    infarto, ictus
"""
HEALTH_WORDS = tuple(" ".join(phrase.split()) for phrase in _HEALTH.split(","))
"""Words and phrases; one blank between the words of a phrase."""


def squeezed(text: str) -> str:
    """Return a text as the rules read it: wide signs plain, invisible ones gone."""
    return unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))


def words_pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Return what finds these whole words, whatever the case and the space within.

    The words are told as they stand; nothing in them is a sign of a pattern. Scripts
    that put no space between words have no whole words: there any place will do.
    """
    known = {" ".join(squeezed(word).split()) for word in words}
    longest_first = sorted(filter(None, known), key=len, reverse=True)
    # Written once for all of them: hundreds of words are then as quick as a few.
    within = "|".join(_ended(each) for each in longest_first if is_spaced(each[0]))
    loose = [_ended(each) for each in longest_first if not is_spaced(each[0])]
    alone = [rf"(?<![^\W_])(?:{within})"] if within else []
    return re.compile("|".join((*alone, *loose)) or "(?!)", re.IGNORECASE)


def find_words(pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    """Yield where one of the words stands."""
    return (found.span() for found in pattern.finditer(text))


def is_spaced(sign: str) -> bool:
    """Tell whether a sign is of a script that puts space between words."""
    place = ord(sign)
    return place < 0x0E00 or 0x10A0 <= place < 0x1780 or 0x1800 <= place < 0x2E80


def _ended(phrase: str) -> str:
    words = r"\s{1,3}".join(map(re.escape, phrase.split(" ")))
    return words + (r"(?![^\W_])" if is_spaced(phrase[-1]) else "")
