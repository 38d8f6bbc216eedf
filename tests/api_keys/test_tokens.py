"""The form of a raw key, its checksum and its digests."""

from __future__ import annotations

import hashlib
import hmac
import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from apps.api_keys import tokens

PATTERN = re.compile(r"^hlsk_[0-9A-Za-z]{38,49}$")
BODIES = st.text(alphabet=tokens.ALPHABET, min_size=32, max_size=43).map(lambda random: tokens.PREFIX + random)


@pytest.mark.parametrize(("letter", "crc", "digits"), [("0", 2696595498, "2wUdfm"), ("A", 2910402020, "3AxkW4")])
def test_healos_103_checksum_matches_the_published_vectors(letter: str, crc: int, digits: str) -> None:
    body = "hlsk_" + 32 * letter
    assert zlib.crc32(body.encode()) == crc
    assert tokens.checksum(body) == digits
    assert tokens.is_well_formed(body + digits)


def test_healos_26_every_generated_key_has_the_form_and_a_true_checksum() -> None:
    keys = {tokens.generate() for _ in range(500)}
    assert len(keys) == 500
    assert all(PATTERN.match(key) and len(key) == 43 and tokens.is_well_formed(key) for key in keys)


@pytest.mark.parametrize("length", [32, 43])
def test_the_number_of_random_characters_is_a_setting(settings: Settings, length: int) -> None:
    settings.API_KEY_RANDOM_CHARS = length
    key = tokens.generate()
    assert len(key) == 5 + length + 6
    assert tokens.is_well_formed(key)


@given(BODIES)
def test_checksum_is_the_crc_in_six_base62_digits(body: str) -> None:
    digits = tokens.checksum(body)
    value = 0
    for digit in digits:
        value = value * 62 + tokens.ALPHABET.index(digit)
    assert len(digits) == 6
    assert value == zlib.crc32(body.encode())


@given(BODIES, st.data())
def test_one_changed_character_is_always_noticed(body: str, data: st.DataObject) -> None:
    key = body + tokens.checksum(body)
    place = data.draw(st.integers(0, len(key) - 1))
    other = data.draw(st.sampled_from(tokens.ALPHABET).filter(lambda letter: letter != key[place]))
    assert tokens.is_well_formed(key)
    assert not tokens.is_well_formed(key[:place] + other + key[place + 1 :])


@given(st.text(max_size=80))
def test_no_text_breaks_the_check(text: str) -> None:
    assert tokens.is_well_formed(text) == (
        PATTERN.match(text) is not None and not text.endswith("\n") and tokens.checksum(text[:-6]) == text[-6:]
    )


@pytest.mark.parametrize("random_characters", [31, 44])
def test_too_short_and_too_long_keys_are_refused_despite_a_true_checksum(random_characters: int) -> None:
    body = "hlsk_" + "x" * random_characters
    assert not tokens.is_well_formed(body + tokens.checksum(body))


@pytest.mark.parametrize("change", [str.upper, lambda key: key + "\n", lambda key: " " + key, lambda key: key[:-1]])
def test_nothing_but_the_key_itself_is_the_key(change) -> None:
    assert not tokens.is_well_formed(change(tokens.generate()))


def test_digests_are_hmacs_of_the_whole_key_newest_pepper_first(settings: Settings) -> None:
    settings.API_KEY_PEPPERS = ("n" * 32, "o" * 32)
    key = tokens.generate()
    expected = [hmac.new(pepper.encode(), key.encode(), hashlib.sha256).digest() for pepper in ("n" * 32, "o" * 32)]
    assert tokens.digests(key) == expected
    assert tokens.digest(key) == expected[0]


def test_pepper_version_names_the_newest_pepper_without_telling_it(settings: Settings) -> None:
    settings.API_KEY_PEPPERS = ("n" * 32, "o" * 32)
    newest = tokens.pepper_version()
    settings.API_KEY_PEPPERS = ("o" * 32,)
    assert re.fullmatch("[0-9a-f]{16}", newest)
    assert newest != tokens.pepper_version()
    assert newest not in hashlib.sha256(b"n" * 32).hexdigest()


def test_keys_are_found_in_free_text_once_each_and_in_order() -> None:
    first, second = tokens.generate(), tokens.generate()
    broken = second[:-1] + ("a" if second[-1] != "a" else "b")
    text = f'curl -H "x-api-key: {first}" …\nkey={second}&again={first} {broken} hlsk_short'
    assert tokens.find_keys(text) == [first, second]


@given(st.text(alphabet=tokens.ALPHABET, max_size=60), st.text(max_size=20))
def test_a_key_is_found_though_other_letters_follow_it_at_once(after: str, before: str) -> None:
    key = tokens.generate()
    assert key in tokens.find_keys(before + key + after)


def test_a_megabyte_of_near_keys_is_searched_quickly() -> None:
    assert tokens.find_keys("hlsk_" * 100_000 + "0" * 500_000) == []
