"""German words for days."""

from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    "offset:0": "heute|heut|heute morgen|heute früh",
    "offset:1": "morgen früh|am nächsten tag|am folgetag",
    "offset:2": "übermorgen",
    "offset:3": "überübermorgen",
    "offset:-1": "gestern",
    "offset:-2": "vorgestern",
    "dawn": "morgen",
    "weekday:5": "sonnabend",
    "month:1": "jänner",
    "month:2": "feber",
    "month:6": "juno",
    "month:7": "julei",
    "quarter:1": "q 1|erstes quartal|ersten quartal",
    "quarter:2": "q 2|zweites quartal|zweiten quartal",
    "quarter:3": "q 3|drittes quartal|dritten quartal",
    "quarter:4": "q 4|viertes quartal|vierten quartal",
    "turn:1": "nächste|nächsten|nächster|nächstes|nächstem|folgende|folgenden|kommender"
    "|kommendes|kommende|kommenden|kommendem|folgender",
    "turn:0": "diese|diesen|dieser|dieses|diesem|laufende|laufenden|laufender",
    "turn:-1": "letzte|letzten|letzter|letztes|letztem|vergangene|vergangenen|vorige"
    "|vorigen|voriger|vergangener",
    "turn:2": "übernächste|übernächsten|übernächster|übernächstes",
    "edge:1": "ende|zum ende|am ende|ende des|ende der|letzter tag des",
    "edge:0": "mitte|mitte des|mitte der",
    "edge:-1": "anfang|anfang des|anfang der|beginn|beginn des|beginn der",
    "edge:1 unit:month": "monatsende|ultimo",
    "edge:1 unit:week": "wochenschluss",
    "edge:1 unit:quarter": "quartalsende",
    "edge:1 unit:year": "jahresende",
    "edge:-1 unit:week": "wochenanfang|wochenbeginn",
    "edge:0 unit:week": "wochenmitte",
    "edge:-1 unit:month": "monatsanfang",
    "unit:day": "tag|tage|tagen|tages",
    "unit:workday": "werktag|werktage|werktagen|arbeitstag|arbeitstage|arbeitstagen",
    "unit:week": "woche|wochen",
    "unit:weekend": "wochenende|wochenendes",
    "unit:month": "monat|monate|monaten|monats",
    "unit:quarter": "quartal|quartals",
    "unit:year": "jahr|jahre|jahren|jahres",
    "unit:hour": "stunde|stunden",
    "number:1": "einer|einem|einen|eine|ein|eines",
    "number:7 unit:day": "acht tagen",
    "in": "in|innerhalb|binnen|innert|in den nächsten",
    "ago": "vor",
    "time": "mittag|mittags|nachmittag|nachmittags|vormittag|vormittags|abend|abends"
    "|früh"
    "|nacht|mitternacht|dienstschluss|feierabend|geschäftsschluss|tagesende"
    "|ende des tages"
    "|morgens|ende des tags",
    "glued": "morgen|vormittag|mittag|nachmittag|abend|früh|nacht",
    "clock": "uhr|h",
    "at": "um|gegen",
    "week": "kw|kalenderwoche",
    "article": "den|dem|der",
    "link": "am|bis spätestens|spätestens|zum|zur|ab|des|das|die|im|in der|von|vom|an"
    "|nicht später als|auf|für|bis zum|bis zur|fällig",
    "or": "oder|und|bis|sondern|aber|sowie",
    "not": "nicht|nach|seit|kein|statt",
    "weak": "so|do|mi|di|mai",
}
