"""Cues of Italian."""

from flaskllm.llm.extraction.cues.form import Cues

_STEMS = (
    "aggiorn|allarg|alleg|aggiung|avvis|cerc|chied|chiam|complet|compil|compr|"
    "confer|confront|consegn|contatt|controll|coordin|corregg|cre|f|finalizz|firm|"
    "fiss|forn|inform|inoltr|install|invi|invit|mand|organizz|pag|parl|pass|port|"
    "prenot|prepar|present|prov|pubblic|redig|riced|richied|richiam|rimand|rispond|"
    "rived|scriv|sent|sistem|spedi|spost|stamp|termin|test|tradu|verific"
)
_CLITIC = r"(?:mi|ti|ci|vi|lo|la|li|le|gli|glielo|melo|celo|telo)?"
_INFINITIVE = rf"(?:{_STEMS})\w*(?:are|ere|ire|rre|ar|er|ir){_CLITIC}"
_DO = (
    "aggiorno|allego|avviso|cerco|chiedo|chiederò|chiamo|chiamerò|completo|confermo|"
    "confermerò|contatto|contatterò|controllo|controllerò|correggo|faccio|farò|fisso|"
    "informo|inoltro|inoltrerò|invio|invierò|mando|manderò|organizzo|organizzerò|"
    "parlo con|passo|porto|porterò|prenoto|prenoterò|preparo|preparerò|richiamo|"
    "rispondo|risponderò|scrivo|scriverò|sento|sentirò|sistemo|spedisco|spedirò|"
    "termino|verifico|verificherò"
)
_OBJECT = r"(?:(?:mi|ti|ci|vi|lo|la|li|le|gli|te lo|ve lo|glielo|ve la|te la) )?"
_ANY = r"(?:[^\s.;?!]+ ){0,3}"

CUES = Cues(
    commitment=(
        rf"(?:io )?(?<!non ){_OBJECT}(?:{_DO})",
        rf"(?:posso|devo|voglio|vorrei) {_ANY}{_INFINITIVE}",
        r"(?:me ne occupo|ci penso io|mi occupo|mi occuperò|mi impegno|me ne occuperò)",
    ),
    request=(
        rf"{_OBJECT}(?:puoi|potresti|può|potrebbe|potete|potreste|possono) "
        rf"{_ANY}{_INFINITIVE}",
        rf"(?:per favore|per cortesia|cortesemente|si prega di),? "
        rf"{_ANY}(?:{_INFINITIVE}|"
        r"invia|invii|inviami|inviate|manda|mandami|mandate|conferma|confermi|chiama|"
        r"chiamami|controlla|controlli|prepara|verifica|verifichi|rispondi|avvisami)",
        rf"(?:devi|deve|dovete|dovresti|dovrebbe) {_INFINITIVE}",
        r"(?:la|ti|vi) (?:prego|chiedo|pregherei) di \w+",
        r"fammi sapere|fateci sapere|mi faccia sapere|ci faccia sapere",
    ),
    obligation=(
        rf"(?:qualcuno|bisogna|occorre|bisognerebbe) (?:deve |dovrebbe )?{_INFINITIVE}",
        rf"(?:dobbiamo|dovremmo) {_INFINITIVE}",
        r"(?:da fare|azioni|prossimi passi|compiti) ?:",
    ),
    assignment=(
        rf"(?:deve|dovrà) {_INFINITIVE}",
        r"(?:invierà|manderà|preparerà|verificherà|chiamerà|porterà|contatterà|"
        r"scriverà|"
        r"organizzerà|confermerà|si occupa|si occuperà|parlerà con)",
    ),
    idle=(
        r"(?:puoi|può|potresti|potrebbe) (?:\w+ )?(?:ripetere|spiegare|spiegarmi|dirmi|"
        r"dirci|chiarire|parlare|fare una)",
        r"(?:mi chiedo|chiedo se|devo (?:dire|andare)|posso (?:dire|chiedere))",
        r"(?:ti|vi|le) (?:scrivo|informo|avviso) (?:che|per|perché)",
        r"non (?:serve|è necessario|c'è bisogno|devi|deve)",
        r"avrebbe (?:dovuto|potuto)|avremmo (?:dovuto|potuto)",
        r"(?:come|perché|quando|dove) (?:posso|possiamo|dobbiamo|può)",
    ),
    decision=(
        r"(?:abbiamo|si è|hanno|è stato|è stata) (?:\w+ )?(?:deciso|decisa|concordato|"
        r"stabilito|approvato|approvata|scelto)",
        r"(?:siamo|restiamo|rimaniamo) d'accordo (?:di|su|che|per)",
        r"(?:allora|quindi|bene|ok),? (?:usiamo|spostiamo|teniamo|rimandiamo|prendiamo|"
        r"andiamo con|manteniamo)",
        r"(?:decisione ?:|è deciso)",
    ),
    undecided=(
        r"non (?:abbiamo|si è) (?:\w+ )?(?:deciso|concordato|stabilito)",
        r"prima di|dobbiamo (?:ancora )?(?:decidere|scegliere)",
    ),
    condition=("se", "quando", "qualora", "nel caso"),
    refusal=(
        r"(?:mi dispiace,? |scusa,? )?(?:no|purtroppo|impossibile)",
        r"(?:mi dispiace,? |scusa,? )?non (?:posso|riesco|potrò)",
        r"(?:l'ho già fatto|già fatto)",
    ),
    retraction=(
        r"(?:lascia perdere|lasciate perdere|lascia stare|dimentica|come non detto)",
        r"non (?:serve|è) più(?: necessario)?",
    ),
    deadline=(
        "entro",
        "entro il",
        "entro la",
        "prima di",
        "prima del",
        "per",
        "fino a",
    ),
)
