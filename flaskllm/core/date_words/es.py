"""Spanish words for days."""

from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    "offset:0": "hoy|esta mañana|esta tarde|esta noche|hoy mismo",
    "offset:1": "mañana por la mañana|mañana por la tarde|al día siguiente",
    "offset:2": "pasado mañana",
    "offset:-1": "ayer|anoche",
    "offset:-2": "anteayer|antes de ayer",
    "dawn": "mañana",
    "month:9": "setiembre|set",
    "turn:1": "próximo|próxima|siguiente|que viene|entrante",
    "turn:0": "este|esta|corriente",
    "turn:-1": "pasado|pasada|último|última",
    "edge:1": "fin de|finales de|a finales de|fin del|final de|final del|último día de"
    "|último día del|fines de",
    "edge:0": "mediados de|a mediados de",
    "edge:-1": "principios de|a principios de|comienzos de|inicios de|primeros de",
    "unit:day": "día|días",
    "unit:workday": "día hábil|días hábiles|día laborable|días laborables",
    "unit:week": "semana|semanas",
    "unit:weekend": "fin de semana",
    "unit:month": "mes|meses",
    "unit:quarter": "trimestre",
    "unit:year": "año|años",
    "unit:hour": "hora|horas",
    "number:1": "un|una",
    "number:7 unit:day": "ocho días",
    "number:14 unit:day": "quince días",
    "in": "en|dentro de",
    "ago": "hace",
    "before": "antes de|antes del",
    "time": "mediodía|medianoche|noche|tarde|por la mañana|por la tarde|por la noche"
    "|fin del día|final del día|de la mañana|de la tarde",
    "at": "a las|a la",
    "article": "el|día|el día|para el día|hasta el día|antes del día",
    "link": "de|del|la|los|para|para el|hasta|hasta el|antes|a más tardar|lo más tarde"
    "|como muy tarde|desde|por",
    "or": "o|y|al|sino|pero",
    "not": "no|después de|después del|desde el|salvo",
    "weak": "mar|dom|vie",
}
