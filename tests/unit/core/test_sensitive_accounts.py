"""Cards and accounts are known by their check digits, and by nothing less."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.sensitive_accounts import (
    find_cards,
    find_ibans,
    has_luhn_digit,
    is_iban,
)

CARDS = [
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "4222222222222",
    "4000000000000000006",
    "5555 5555 5555 4444",
    "2223003122003222",
    "3782 822463 10005",
    "6011000990139424",
    "3056 9309 0259 04",
    "3530111333300000",
    "6200000000000005",
    "4111\u00a01111\u00a01111\u00a01111",
]
NO_CARDS = [
    "4111 1111 1111 1112",  # the last digit is wrong
    "1111 1111 1111 1117",  # no issuer begins so
    "94111111111111111",
    "41111111111111110000000",
    "order 4111.1111.1111.1111",
    "4111 11 1111 1111 11",  # nobody writes it so
    "A4111111111111111",
    "4111111111111111x",
    "0.4111111111111111",
    "411111111111",
]
IBANS = [
    "DE89 3704 0044 0532 0130 00",
    "DE89370400440532013000",
    "gb82 west 1234 5698 7654 32",
    "FR14 2004 1010 0505 0001 3M02 606",
    "ES91 2100 0418 4502 0005 1332",
    "IT60X0542811101000000123456",
    "NO9386011117947",
    "MT84MALT011000012345MTLCAST001S",
]
NO_IBANS = [
    "DE89 3704 0044 0532 0130 01",  # the sum is wrong
    "DE89 3704 0044 0532 0130",  # too short
    "DE89370400440532013000X",
    "XX89370400440532013000",  # no such country
    "DE89  370400440532013000",  # a word ends at two blanks
    "DE89/370400440532013000",
    "DE89 3704/00440532013000",
]


def found(find, text):
    return [text[start:end] for start, end in find(text)]


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("around", ["{}", "My card: {}, thanks", "({}) 12/27"])
def test_a_card_is_found_as_people_write_it(card, around):
    assert found(find_cards, around.format(card)) == [card]


@pytest.mark.parametrize("text", NO_CARDS)
def test_what_is_no_card_is_not_found(text):
    assert found(find_cards, text) == []


def test_two_cards_of_one_line_are_two():
    assert found(find_cards, f"{CARDS[0]} {CARDS[4]}") == [CARDS[0], CARDS[4]]


@given(st.integers(0, 10**14 - 1))
def test_of_the_ten_last_digits_one_is_the_check_digit(number):
    digits = f"4{number:014}"

    good = [last for last in "0123456789" if has_luhn_digit(digits + last)]

    assert len(good) == 1
    assert found(find_cards, f"card {digits}{good[0]}.") == [digits + good[0]]


@pytest.mark.parametrize("iban", IBANS)
@pytest.mark.parametrize("around", ["{}", "IBAN {}.", "an {}, bitte"])
def test_an_account_is_found_as_people_write_it(iban, around):
    assert found(find_ibans, around.format(iban)) == [iban]


@pytest.mark.parametrize("text", NO_IBANS)
def test_what_is_no_account_is_not_found(text):
    assert found(find_ibans, text) == []


def test_two_accounts_beside_each_other_are_two():
    assert found(find_ibans, f"{IBANS[0]} {IBANS[3]}") == [IBANS[0], IBANS[3]]


@given(st.integers(0, 10**18 - 1))
def test_of_all_check_digits_of_an_account_one_pair_holds(number):
    account = f"{number:018}"
    check = 98 - int(f"{account}131400") % 97

    assert is_iban(f"DE{check:02}{account}")
    assert not is_iban(f"DE{(check + 1) % 97:02}{account}")


@given(st.text(alphabet="0123456789 -DEGB4\u00a0", max_size=200))
def test_whatever_stands_there_places_are_in_order_and_within(text):
    for find in (find_cards, find_ibans):
        places = [place for span in find(text) for place in span]
        assert places == sorted(places)
        assert all(0 <= place <= len(text) for place in places)
