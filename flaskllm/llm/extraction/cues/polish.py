"""Cues of Polish."""

from flaskllm.llm.extraction.cues.form import Cues

_DO = (
    "dodam|dokończę|dostarczę|dowiem się|kupię|napiszę|odbiorę|odeślę|odpiszę|odpowiem|"
    "omówię|opłacę|podeślę|podpiszę|poinformuję|poprawię|poproszę|porozmawiam|"
    "potwierdzę|"
    "prześlę|przekażę|przetestuję|przetłumaczę|przygotuję|przyniosę|sprawdzę|"
    "skontaktuję|stworzę|ustalę|umówię|uzupełnię|wezmę|wyjaśnię|wyślę|wydrukuję|"
    "zadzwonię|zajmę się|zaktualizuję|zamówię|zapłacę|zapytam|zarezerwuję|zgłoszę|"
    "zorganizuję|zrobię|zweryfikuję|załatwię"
)
_DO_INFINITIVE = (
    "dodać|dokończyć|dostarczyć|kupić|napisać|odebrać|odesłać|odpisać|odpowiedzieć|"
    "omówić|opłacić|podesłać|podpisać|poinformować|poprawić|porozmawiać|potwierdzić|"
    "przesłać|przekazać|przesunąć|przetestować|przetłumaczyć|przygotować|przynieść|"
    "sprawdzić|skontaktować|stworzyć|ustalić|umówić|uzupełnić|wziąć|wyjaśnić|wysłać|"
    "wydrukować|zadzwonić|zająć się|zaktualizować|zamówić|zapłacić|zapytać|"
    "zarezerwować|"
    "zgłosić|zorganizować|zrobić|zweryfikować|załatwić|dać znać"
)
_ANY = r"(?:[^\s.;?!]+ ){0,4}"

CUES = Cues(
    commitment=(
        rf"(?<!nie )(?:{_DO})",
        rf"(?:mogę|muszę|zamierzam|postaram się|chcę) {_ANY}(?:{_DO_INFINITIVE})",
        r"(?:zajmuję się tym|biorę to na siebie|ja to zrobię)",
    ),
    request=(
        rf"(?:czy )?(?:możesz|mógłbyś|mogłabyś|możecie|moglibyście|może (?:pan|pani)|"
        rf"mógłby pan|mogłaby pani|mogliby państwo) {_ANY}(?:{_DO_INFINITIVE})",
        rf"(?:proszę|prosimy)(?: \w+){{0,2}} (?:{_DO_INFINITIVE}|o \w+)",
        r"(?:prześlij|wyślij|sprawdź|zadzwoń|potwierdź|przygotuj|napisz|odpisz|daj "
        r"znać|"
        r"umów|zamów|zarezerwuj|popraw|uzupełnij)(?: \S+){0,10} (?:proszę|dzięki)",
        r"proszę,? (?:prześlij|wyślij|sprawdź|zadzwoń|potwierdź|przygotuj|napisz|daj "
        r"znać)",
        rf"(?:musisz|musicie|powinieneś|powinnaś|powinni państwo) {_ANY}"
        rf"(?:{_DO_INFINITIVE})",
    ),
    obligation=(
        rf"(?:ktoś) (?:musi|powinien|ma) {_ANY}(?:{_DO_INFINITIVE})",
        rf"(?:musimy|powinniśmy|trzeba|należy) {_ANY}(?:{_DO_INFINITIVE})",
        r"(?:do zrobienia|zadania|następne kroki) ?:",
    ),
    assignment=(
        rf"(?:ma|musi|powinien|powinna) {_ANY}(?:{_DO_INFINITIVE})",
        r"(?:wyśle|prześle|przygotuje|sprawdzi|zadzwoni|przyniesie|potwierdzi|napisze|"
        r"zorganizuje|zajmie się|zamówi|zarezerwuje)",
    ),
    idle=(
        r"(?:możesz|może pan|może pani) (?:\w+ )?(?:powtórzyć|wyjaśnić mi|powiedzieć)",
        r"(?:zapytam|mogę|muszę) (?:tylko )?(?:czy|jak|powiedzieć|przyznać|zapytać)",
        r"proszę (?:bardzo|pamiętać|zauważyć)",
        r"(?:jak|dlaczego|kiedy|gdzie) (?:mogę|możemy|mamy|powinniśmy)",
        r"nie (?:trzeba|musisz|musi pan|musi pani|ma potrzeby)",
        r"(?:powinienem|powinniśmy) (?:był|byli)",
    ),
    decision=(
        r"(?:zdecydowaliśmy|postanowiliśmy|ustaliliśmy|uzgodniliśmy|wybraliśmy|"
        r"zatwierdziliśmy)",
        r"(?:zostało|jest|zostały|została) (?:\w+ )?(?:postanowione|ustalone|"
        r"uzgodnione|"
        r"zatwierdzone|zdecydowane|zatwierdzona)",
        r"(?:to|więc|dobrze,?|w takim razie) (?:bierzemy|używamy|przesuwamy|zostajemy "
        r"przy|"
        r"wybieramy|przekładamy)",
        r"(?:przesuwamy|przekładamy|zostajemy przy|decydujemy się na)",
        r"decyzja ?:",
    ),
    undecided=(
        r"(?:nie|jeszcze nie) (?:zdecydowaliśmy|ustaliliśmy|postanowiliśmy)",
        r"(?:zanim|czy) \w+|musimy (?:zdecydować|ustalić)",
    ),
    condition=("jeśli", "jeżeli", "gdy", "gdyby", "kiedy", "o ile"),
    refusal=(
        r"(?:niestety|nie|przykro mi)",
        r"już (?:to )?(?:zrobiłem|zrobiłam|zrobione)",
    ),
    retraction=(
        r"(?:zapomnij o tym|nieważne|odwołuję to|skreśl to)",
        r"(?:to )?już nie(?:potrzebne| jest potrzebne| trzeba)",
    ),
    deadline=("do", "przed", "najpóźniej", "najpóźniej do", "do dnia", "na"),
)
