"""Numbers in digits and words, in every way that they can be read."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rounds import rounds

from flaskllm.core import number_tables
from flaskllm.core.number_words import RULES
from flaskllm.core.numerals import find, numbers, unsupported


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("12 pallets", {"12"}),
        ("007", {"7"}),
        ("1,234.56", {"1234.56"}),
        ("8.950,00 EUR", {"8950"}),
        ("8.400", {"8400", "8.4"}),
        ("8,400", {"8400", "8.4"}),
        ("0.400", {"0.4"}),
        ("1.234.567", {"1234567"}),
        ("CHF 1'200", {"1200"}),
        ("1\u202f000\u202f000", {"1000000", "1", "0"}),
        ("12 345", {"12345", "12", "345"}),
        ("10.5%", {"10.5"}),
        ("12,50", {"12.5"}),
        ("1,2,3", {"1", "2", "3"}),
        ("v1.2.3", {"1", "2", "3"}),
        ("24.06.2026", {"24", "6", "2026"}),
        ("am 24.06. nachts", {"24.06", "24", "6"}),
        ("2026-06-24", {"2026", "6", "24"}),
        ("14:30", {"14", "2", "30"}),
        ("2 pm", {"2", "14"}),
        ("17 Uhr", {"17", "5"}),
        ("45k", {"45", "45000"}),
        ("€3m", {"3", "3000000"}),
        ("3.5 million", {"3500000"}),
        ("2,5 Millionen", {"2500000"}),
        ("2 Mio. €", {"2", "2000000"}),
        ("two", {"2"}),
        ("٣", {"3"}),
        ("no number", set()),
        ("", set()),
    ],
)
def test_digits_are_read_in_every_way(text, readings):
    assert numbers(text) == readings


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("one and a half", "1.5"),
        ("two and a half million", "2500000"),
        ("3 and a half thousand", "3500"),
        ("half a million", "500000"),
        ("three point five", "3.5"),
        ("three point one four million", "3140000"),
        ("anderthalb Millionen", "1500000"),
        ("dreieinhalb", "3.5"),
        ("eine halbe Million", "500000"),
        ("drei Komma fünf Millionen", "3500000"),
        ("deux et demi", "2.5"),
        ("un demi-million", "500000"),
        ("trois virgule cinq", "3.5"),
        ("dos millones y medio", "2500000"),
        ("medio millón", "500000"),
        ("cinco coma dos", "5.2"),
    ],
)
def test_halves_and_decimals_in_words_are_one_number(text, value):
    assert value in numbers(text)
    assert unsupported(text, value) == ()
    assert unsupported(text, "77")


@pytest.mark.parametrize(
    "text",
    [
        "the point five people made",
        "what point two",
        "half a day",
        "ein halbes Jahr",
        "medio día",
    ],
)
def test_what_only_looks_like_a_fraction_is_none(text):
    assert not any("." in reading for reading in numbers(text))


def test_a_half_of_an_endless_number_is_read_in_time():
    assert numbers("9" * 40 + " and a half")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("forty-five thousand", "45000"),
        ("Forty Five", "45"),
        ("one hundred and five", "105"),
        ("two hundred and five thousand and six", "205006"),
        ("twelve hundred", "1200"),
        ("a dozen", "12"),
        ("two dozen", "24"),
        ("three million two hundred thousand", "3200000"),
        ("the nineteenth", "19"),
        ("twenty-first", "21"),
        ("the hundred and first", "101"),
        ("two o'clock", "14"),
        ("twenty twenty-six", "2026"),
        ("nineteen eighty-four", "1984"),
        ("dreitausend", "3000"),
        ("dreihundert", "300"),
        ("siebzehn", "17"),
        ("fünfundvierzigtausend", "45000"),
        ("achttausendneunhundertfünfzig", "8950"),
        ("zwei Millionen dreihunderttausend", "2300000"),
        ("neunzehnhundertvierundachtzig", "1984"),
        ("tausendundeins", "1001"),
        ("den neunzehnten", "19"),
        ("der einunddreißigste", "31"),
        ("quatre-vingt-dix-sept", "97"),
        ("vingt et un", "21"),
        ("deux mille trois cents", "2300"),
        ("veintidós", "22"),
        ("mil novecientos ochenta y cuatro", "1984"),
        ("quinientos", "500"),
        ("quarantacinquemila", "45000"),
        ("ventuno", "21"),
        ("drieëntwintig", "23"),
        ("tweeduizenddriehonderd", "2300"),
        ("tvåhundrafemtio", "250"),
        ("duzentos e cinquenta e seis", "256"),
    ],
)
def test_words_are_read_like_digits(text, value):
    assert value in numbers(text)


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("forty, five", {"40", "5"}),
        ("five six seven", {"5", "7"}),
        ("thousand hundred", {"1100", "1000", "100"}),
        ("hundred thousand million", {"100000", "1000000"}),
        ("forty and five", {"40", "5"}),
    ],
)
def test_numbers_that_do_not_go_together_stay_apart(text, readings):
    assert numbers(text) & (readings | {"45", "40005"}) <= readings


@pytest.mark.parametrize("language", RULES)
def test_every_table_reads_its_own_words(language):
    cardinals = number_tables.cardinals(language)

    assert set(cardinals.values()) >= set(range(100)) - set(range(71, 80)) - set(
        range(91, 100)
    )
    for words, value in cardinals.items():
        assert str(value) in numbers(" ".join(words))


@given(st.integers(0, 10**15))
def test_a_number_in_digits_is_read_in_each_national_form(number):
    assert str(number) in numbers(f"it is {number:,} in all")
    assert str(number) in numbers(f"es sind {f'{number:,}'.replace(',', '.')} St.")
    assert str(number) in numbers(f"{number}")
    assert str(number) in numbers(
        f"ce sont {f'{number:,}'.replace(',', chr(0x202F))} !"
    )


@given(st.integers(1, 999_999))
def test_english_words_are_read_as_their_number(number):
    assert str(number) in numbers(say(number))


def say(number):
    table = {
        value: " ".join(words) for words, value in number_tables.cardinals("en").items()
    }
    if number >= 1000:
        rest = f" {say(number % 1000)}" if number % 1000 else ""
        return f"{say(number // 1000)} thousand{rest}"
    if number >= 100:
        rest = f" and {table[number % 100]}" if number % 100 else ""
        return f"{table[number // 100]} hundred{rest}"
    return table[number]


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("The budget is 45,000.", "Finance approved forty-five thousand"),
        ("Der Preis ist 8.950 €", "er steigt auf 8950 EUR"),
        ("3000 users", "sondern dreitausend Nutzer"),
        ("at 14:00", "two o'clock"),
        ("24 June 2026", "am 24.06.2026"),
        ("12 pallets, one of them first", "twelve pallets"),
        ("3 million", "3m"),
        ("no numbers", ""),
        ("on the 19th", "the nineteenth"),
        ("twenty-six", "26"),
    ],
)
def test_a_number_is_supported_when_the_source_holds_it_in_any_form(claim, source):
    assert unsupported(claim, source) == ()


@pytest.mark.parametrize(
    ("claim", "source", "missing"),
    [
        ("The budget is 40,000.", "forty-five thousand", ("40,000",)),
        ("14 pallets on 17 June", "12 pallets on 17 June", ("14",)),
        ("three hundred users", "dreitausend", ("three hundred",)),
        ("3 or 4", "3", ("4",)),
        ("10.5 %", "105", ("10.5",)),
        ("at 14:45", "2 o'clock", ("45",)),
        ("3 million", "3", ("3 million",)),
        ("forty-five", "40 and 5", ("forty-five",)),
    ],
)
def test_a_number_that_the_source_does_not_hold_is_named_as_written(
    claim, source, missing
):
    assert unsupported(claim, source) == missing


def test_a_source_may_be_read_once_for_many_claims():
    held = numbers("forty-five thousand")

    assert unsupported("45000", held) == ()
    assert unsupported("45001", held) == ("45001",)


@given(st.text(max_size=80))
def test_every_text_supports_itself(text):
    assert unsupported(text, text) == ()


@given(
    st.text(st.sampled_from("0123456789.,:' kmM%-hundertfortyand\u202f"), max_size=60)
)
def test_numbers_stand_where_they_say(text):
    for number in find(text):
        assert text[number.start : number.end] == number.text
        assert number.readings


HOSTILE = [
    "one ",
    "hundred ",
    "1 000 ",
    "1,",
    "1.000.",
    "9",
    "hundertund",
    "twenty-",
    "hundert",
    "1'000",
    "1:1",
    "é",
    "a1",
]


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.no_cover
def test_hostile_text_is_read_in_linear_time(unit):
    text = unit * (rounds(50_000, 200_000) // len(unit))
    began = time.process_time()

    numbers(text)

    assert time.process_time() - began < rounds(2, 6)
