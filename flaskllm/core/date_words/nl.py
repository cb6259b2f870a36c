"""Dutch words for days."""

from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    "offset:0": "vandaag|vanmorgen|vanochtend|vanmiddag|vanavond|vannacht",
    "offset:1": "morgenochtend|morgenmiddag|morgenavond|morgen vroeg",
    "offset:2": "overmorgen",
    "offset:-1": "gisteren|gisteravond",
    "offset:-2": "eergisteren",
    "dawn": "morgen",
    "turn:1": "volgende|aanstaande|eerstvolgende",
    "turn:0": "deze|dit|komende|lopende",
    "turn:-1": "vorige|afgelopen|laatste",
    "edge:1": "eind|einde|eind van de|einde van de|eind van het|einde van het"
    "|het einde van de|het einde van het",
    "edge:0": "midden|half|midden van de",
    "edge:-1": "begin|begin van de|begin van het",
    "edge:1 unit:month": "maandeinde",
    "edge:1 unit:year": "jaareinde",
    "unit:day": "dag|dagen",
    "unit:workday": "werkdag|werkdagen",
    "unit:week": "week|weken",
    "unit:weekend": "weekend|weekeinde",
    "unit:month": "maand|maanden",
    "unit:quarter": "kwartaal",
    "unit:year": "jaar|jaren",
    "unit:hour": "uren",
    "number:1": "een",
    "number:2": "paar|een paar",
    "in": "over|binnen|in",
    "ago": "geleden",
    "before": "vóór|voor",
    "time": "middag|ochtend|avond|nacht|middernacht|einde van de dag|eind van de dag"
    "|einde werkdag|s ochtends|s middags|s avonds",
    "glued": "ochtend|morgen|middag|avond|nacht|namiddag|voormiddag",
    "clock": "uur|u",
    "at": "om|rond",
    "article": "de",
    "link": "op|uiterlijk|van|het|per|aan het|ten laatste|uiterlijk op|met ingang van",
    "or": "of|en|tot|tot en met|t m|maar|dan|tot uiterlijk",
    "not": "niet|na|sinds|behalve",
    "weak": "do|di|wo|za|zo|ma|vr|mei",
}
