"""Cues of German."""

from flaskllm.llm.extraction.cues.form import Cues

# First person singular; the particle ("rufe ... an") stands elsewhere.
_DO = (
    "aktualisiere|antworte|arbeite|baue|beantrage|beantworte|beauftrage|bearbeite|"
    "behebe|bereite|besorge|bespreche|bestelle|bestätige|bringe|buche|drucke|"
    "erinnere|erkundige|erledige|erstelle|ergänze|formuliere|frage|gebe|hole|"
    "informiere|installiere|kaufe|kläre|kontaktiere|korrigiere|kopiere|kümmere|lade|"
    "leite|lege|lese|liefere|lösche|maile|melde|nehme|organisiere|packe|plane|prüfe|"
    "recherchiere|reiche|reserviere|repariere|rufe|räume|sage|schaue|schau|schicke|"
    "schick|schreibe|schreib|sende|setze|sorge|spreche|stelle|teste|trage|treffe|"
    "übergebe|überarbeite|übernehme|überprüfe|übersetze|überweise|unterschreibe|"
    "vereinbare|veranlasse|verschicke|versende|verteile|veröffentliche|zahle|zeichne"
)
_DO_INFINITIVE = (
    "aktualisieren|antworten|anrufen|anlegen|ansehen|anschauen|aufsetzen|ausfüllen|"
    "beantworten|beauftragen|beheben|bereitstellen|besorgen|besprechen|bestellen|"
    "bestätigen|bringen|buchen|drucken|einreichen|einrichten|einladen|einplanen|"
    "ergänzen|erledigen|erstellen|freigeben|fragen|hochladen|holen|informieren|"
    "installieren|kaufen|klären|kontaktieren|korrigieren|kümmern|liefern|löschen|"
    "melden|mitbringen|mitteilen|nachfragen|nachreichen|organisieren|planen|prüfen|"
    "recherchieren|reservieren|schicken|schreiben|senden|sicherstellen|testen|"
    "umsetzen|umstellen|überarbeiten|übernehmen|überprüfen|übersetzen|überweisen|"
    "unterschreiben|unterzeichnen|vereinbaren|veranlassen|verschicken|verteilen|"
    "veröffentlichen|vorbereiten|weiterleiten|zahlen|zurückrufen|zusammenstellen|"
    "zusenden|zuschicken"
)
_ANY = r"(?:[^\s.;?!]+ ){0,12}"

CUES = Cues(
    commitment=(
        rf"ich (?:{_DO})",
        rf"(?:{_DO}) ich",
        rf"(?:ich (?:werde|kann|will|möchte)|werde ich|kann ich) {_ANY}"
        rf"(?:{_DO_INFINITIVE})",
        r"(?:ich mache?|mache? ich) (?:\S+ ){1,6}(?:fertig|bereit)",
    ),
    request=(
        rf"(?:kannst|könntest|würdest|magst) du {_ANY}(?:{_DO_INFINITIVE})",
        rf"(?:können|könnten|würden) sie {_ANY}(?:{_DO_INFINITIVE})",
        rf"(?:könnt|könntet|würdet) ihr {_ANY}(?:{_DO_INFINITIVE})",
        r"\w+st du (?:\S+ ){0,3}bitte",
        r"bitte (?:\S+ ){0,8}\w+en sie",
        rf"bitte {_ANY}(?:{_DO_INFINITIVE})",
        rf"(?:sie|du|ihr) (?:müssen|musst|müsst|sollten|solltest|solltet) {_ANY}"
        rf"(?:{_DO_INFINITIVE})",
        r"ich bitte (?:sie|dich|euch)",
        r"bitte (?:um|schick|send|schreib|ruf|gib|prüf|klär|bring)(?:e|t)?",
        r"(?:schick|send|schreib|ruf|gib|prüf|klär|bring|bestell|buch|erstell|"
        r"kümmer|mach|leit|lad|melde?|besorg|frag|hol|nimm|stell|teste?)(?:e|t)? "
        r"(?:(?:mir|uns|ihm|ihr|ihnen|dich|das|es|sie|ihn) ){0,2}bitte",
    ),
    obligation=(
        r"(?:jemand|einer|eine) (?:muss|müsste|soll|sollte)",
        rf"(?:wir (?:müssen|sollten|sollen)|müssen wir|sollten wir) {_ANY}"
        rf"(?:{_DO_INFINITIVE})",
        rf"(?:ist|sind) (?:bis|vor) {_ANY}zu \w+en",
        rf"muss (?:noch )?(?:bis|vor) {_ANY}\w+ werden",
        r"(?:to-?do|aufgaben?|nächste schritte) ?:",
    ),
    assignment=(
        rf"(?:wird|soll|sollte|muss) {_ANY}(?:{_DO_INFINITIVE})",
        r"(?:schickt|sendet|schreibt|prüft|klärt|erstellt|übernimmt|organisiert|bucht|"
        r"bestellt|bringt|liefert|kümmert sich|ruft|bereitet|testet|aktualisiert)",
    ),
    idle=(
        r"ich (?:frage|sage|gebe|nehme|bitte) (?:mich|nur|mal|dir|ihnen recht|an|dass)",
        r"(?:darf|kann|soll) ich (?:kurz |mal |noch )*(?:fragen|ergänzen|antworten)",
        r"(?:wie|wann|warum|wieso|wo|wer|was|bis wann|welche\w*) \w+ (?:ich|wir|sie|"
        r"du)",
        r"wie bitte|bitte (?:schön|sehr|beachten)",
        r"(?:hätte|hätten|wäre|würde) (?:ich|wir|man|sie)",
        r"(?:nicht nötig|nicht mehr nötig|brauchst du nicht|müssen sie nicht)",
        r"ich (?:schreibe|arbeite|plane) (?:gerade|schon|seit|immer)",
    ),
    decision=(
        r"wir haben (?:\S+ ){0,10}(?:entschieden|beschlossen|vereinbart|geeinigt|"
        r"festgelegt|verabschiedet)",
        r"haben wir (?:\S+ ){0,10}(?:entschieden|beschlossen|vereinbart|festgelegt)",
        r"(?:es ist|ist|das ist|damit ist|wurde|wird) (?:\S+ ){0,4}(?:beschlossen|"
        r"entschieden|abgemacht)",
        r"(?:dann|also|gut,?) (?:nehmen|machen|verschieben|verwenden|bleiben|gehen|"
        r"lassen|streichen|nutzen|behalten|starten|fangen|wählen) wir",
        r"wir (?:nehmen|verschieben|bleiben bei|entscheiden uns für|einigen uns auf|"
        r"verwenden (?:ab|künftig|jetzt)|streichen|behalten)",
        r"(?:es bleibt|bleibt es) (?:bei|dabei)",
        r"beschluss ?:|entscheidung ?:",
    ),
    undecided=(
        r"ob|bevor",
        r"(?:noch nicht|nicht) (?:entschieden|beschlossen)",
        r"(?:wollten|müssen|sollten|können|könnten|wollen) wir",
        r"wir (?:wollten|müssen|sollten|können|könnten|nehmen an)",
        r"(?:was|wie|wann|warum|welche\w*) \w+ wir",
    ),
    condition=("wenn", "falls", "sofern", "angenommen"),
    refusal=(
        r"(?:nein|nee|leider|tut mir leid)",
        r"(?:das )?(?:kann|schaffe|mache) ich (?:\S+ ){0,4}nicht",
        r"ich (?:kann|schaffe|mache) (?:\S+ ){0,5}nicht",
        r"(?:das )?habe ich (?:schon|bereits)",
    ),
    retraction=(
        r"vergiss (?:es|das)|vergessen sie (?:es|das)",
        r"(?:hat|habe) sich erledigt|hat sich das erledigt",
        r"(?:das ist|ist) nicht mehr nötig",
        r"das streichen wir|streich das",
    ),
    deadline=("bis", "bis zum", "bis spätestens", "spätestens", "vor", "vor dem", "am"),
)
