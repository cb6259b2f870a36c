"""Polish words for days; names stand in their cases."""

from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    "numbers": "jeden dwa trzy cztery pięć sześć siedem osiem dziewięć dziesięć",
    "ordinals": "pierwszego drugiego trzeciego czwartego piątego szóstego siódmego "
    "ósmego "
    "dziewiątego dziesiątego jedenastego dwunastego trzynastego czternastego "
    "piętnastego szesnastego siedemnastego osiemnastego dziewiętnastego dwudziestego "
    "dwudziestego-pierwszego dwudziestego-drugiego dwudziestego-trzeciego "
    "dwudziestego-czwartego dwudziestego-piątego dwudziestego-szóstego "
    "dwudziestego-siódmego dwudziestego-ósmego dwudziestego-dziewiątego trzydziestego "
    "trzydziestego-pierwszego",
    "offset:0": "dziś|dzisiaj|dziś po południu|dziś wieczorem",
    "offset:1": "jutro|jutra",
    "offset:2": "pojutrze|pojutrza",
    "offset:-1": "wczoraj",
    "offset:-2": "przedwczoraj",
    "weekday:0": "poniedziałku|poniedziałkiem",
    "weekday:1": "wtorku|wtorkiem",
    "weekday:2": "środę|środy|środą",
    "weekday:3": "czwartku|czwartkiem",
    "weekday:4": "piątku|piątkiem",
    "weekday:5": "sobotę|soboty|sobotą",
    "weekday:6": "niedzielę|niedzieli|niedzielą",
    "month:1": "styczniu",
    "month:2": "lutym",
    "month:3": "marcu",
    "month:4": "kwietniu",
    "month:5": "maju",
    "month:6": "czerwcu",
    "month:7": "lipcu",
    "month:8": "sierpniu",
    "month:9": "wrześniu",
    "month:10": "październiku",
    "month:11": "listopadzie",
    "month:12": "grudniu",
    "turn:1": "przyszły|przyszłym|przyszłego|przyszłą|przyszłej|następny|następnym"
    "|następnego|następną|najbliższy|najbliższego|najbliższą",
    "turn:0": "ten|tym|tego|tę|bieżącego|tej",
    "turn:-1": "zeszły|zeszłym|zeszłą|ostatni|ostatnią|ubiegły|zeszłego",
    "edge:1": "koniec|końca|końcem|pod koniec|do końca",
    "edge:0": "połowa|połowie|połowy",
    "edge:-1": "początek|początku|na początku",
    "unit:day": "dzień|dni|dniach|dnia",
    "unit:workday": "dni roboczych|dni robocze|dzień roboczy",
    "unit:week": "tydzień|tygodnie|tygodni|tygodniu|tygodnia",
    "unit:weekend": "weekend|weekendu",
    "unit:month": "miesiąc|miesiące|miesięcy|miesiąca|miesiącu",
    "unit:quarter": "kwartał|kwartału",
    "unit:year": "rok|lata|lat|roku",
    "unit:hour": "godzinę|godziny|godzin",
    "number:2": "dwie",
    "in": "za|w ciągu",
    "ago": "temu",
    "before": "przed",
    "time": "południe|południa|rano|wieczorem|wieczór|po południu|północ|końca dnia"
    "|koniec dnia",
    "at": "o|o godzinie|godz",
    "link": "do|w|we|na|najpóźniej|dniu|r",
    "or": "lub|albo|i|ale|a",
    "not": "nie|po|od",
    "weak": "pt|wt|sob|maja|mar",
}
