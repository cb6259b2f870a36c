"""The words for days in twelve languages, one file of data each.

A table maps meanings to phrases parted by `|`. Case, accents and hyphens do not
matter; umlauts may be written out. Names of months and weekdays come from CLDR
(`date_lexicon`): here stand only the forms that CLDR lacks. A meaning is a kind and
mostly a value; several parted by a space are said by one phrase:

- `offset:N`: N days from today; `dawn`: tomorrow, or the morning of another day
- `weekday:N` (Monday is 0), `month:N`, `quarter:N`
- `turn:N`: 1 next, 0 this, -1 last, 2 the one after next
- `edge:N`: -1 the start, 0 the middle, 1 the end of what follows
- `unit:NAME`: day, workday, week, weekend, month, quarter, year, hour
- `number:N`: what counts units without being a number word
- `in`: a length of time from now; `ago`: one that is over; `before`: a day or its eve
- `time`: a time of day; `clock`: after an hour; `at`: before an hour
- `article`: makes a number after it a day; `week`: a week's number follows
- `link`: says nothing; `or`: parts two days; `not`: what follows is not meant

Beside the meanings, `glued` are times of day that stick to a weekday's name, `numbers`
and `ordinals` count from one, for languages that `number_words` lacks, and `weak`
are names that are mostly something else.
"""

from collections.abc import Mapping

from flaskllm.core.date_words import da, de, en, es, fi, fr, it, nl, no, pl, pt, sv

TABLES: Mapping[str, Mapping[str, str]] = {
    "en": en.WORDS,
    "de": de.WORDS,
    "fr": fr.WORDS,
    "es": es.WORDS,
    "it": it.WORDS,
    "nl": nl.WORDS,
    "sv": sv.WORDS,
    "da": da.WORDS,
    "no": no.WORDS,
    "pt": pt.WORDS,
    "pl": pl.WORDS,
    "fi": fi.WORDS,
}
