"""Italian words for days."""

from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    "offset:0": "oggi|stamattina|stamani|stasera|questa mattina|questa sera"
    "|questo pomeriggio|stanotte",
    "offset:1": "domani|domattina|l indomani",
    "offset:2": "dopodomani|dopo domani",
    "offset:-1": "ieri",
    "offset:-2": "l altro ieri|altro ieri|ieri l altro",
    "turn:1": "prossimo|prossima|seguente|successivo|successiva|che viene",
    "turn:0": "questo|questa|quest|corrente",
    "turn:-1": "scorso|scorsa|passato|passata|ultimo|ultima",
    "edge:1": "fine di|fine del|fine della|fine dell|la fine di|fine",
    "edge:0": "metà|metà di|metà del|metà della",
    "edge:-1": "inizio di|inizio del|inizio della|inizio|primi di",
    "unit:day": "giorno|giorni",
    "unit:workday": "giorno lavorativo|giorni lavorativi",
    "unit:week": "settimana|settimane",
    "unit:weekend": "fine settimana|weekend|week end",
    "unit:month": "mese|mesi",
    "unit:quarter": "trimestre",
    "unit:year": "anno|anni",
    "unit:hour": "ora|ore",
    "number:1": "un|una",
    "number:7 unit:day": "otto giorni",
    "number:14 unit:day": "quindici giorni",
    "in": "tra|fra|entro",
    "ago": "fa",
    "before": "prima di|prima del|prima della",
    "time": "mezzogiorno|mezzanotte|mattina|mattino|pomeriggio|sera|notte|fine giornata"
    "|fine della giornata",
    "at": "alle|alle ore|ore",
    "article": "il|l|entro il",
    "link": "di|del|dello|della|dell|per|per il|entro|entro la|entro e non oltre"
    "|al più tardi"
    "|fino a|fino al|lo|la|i|gli|nel|in|a|dal|da|entro l",
    "or": "o|e|al|ma|poi",
    "not": "non|dopo|dopo il|dal giorno|tranne",
    "weak": "mar|sab|dom|ven|set",
}
