"""Pure parts of the Helios dialect, against what Python and JSON Schema say of the same texts."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ValidationError

from helios_site.api.families.helios.errors import Invalid
from helios_site.api.families.helios.fields import DAY, LOCAL_TIME, TIME_PATTERN, Flag, PastDay
from helios_site.api.families.helios.json_body import parse
from helios_site.api.families.helios.query import CURSOR_PATTERN, read_cursor
from helios_site.api.families.positions import pack
from helios_site.api.families.strict_json import storable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.dates())
def test_every_day_of_the_calendar_has_the_form_of_a_day(day: date) -> None:
    assert DAY.fullmatch(day.isoformat())


@given(st.integers(0, 9999), st.integers(0, 13), st.integers(0, 32))
def test_no_other_day_has_it(year: int, month: int, day: int) -> None:
    text = f"{year:04}-{month:02}-{day:02}"
    try:
        exists = bool(date(year, month, day))
    except ValueError:
        exists = False
    assert bool(DAY.fullmatch(text)) is exists


@given(st.datetimes(), st.sampled_from(["T", " "]), st.sampled_from(["auto", "minutes", "milliseconds"]))
def test_local_times_round_trip_and_lose_only_their_offset(moment: datetime, joint: str, precision: str) -> None:
    text = moment.isoformat(joint, precision)
    for offset in ("", "Z", "+02:00", "-0930", "+14"):
        found = LOCAL_TIME.fullmatch(text + offset)
        assert found is not None
        assert found[1] == text
        assert re.search(TIME_PATTERN, text + offset)
        assert len(found[1]) <= 32


@given(st.timedeltas(timedelta(0), timedelta(days=700_000)), st.uuids())
def test_a_cursor_names_its_place_exactly(since: timedelta, identifier: UUID) -> None:
    position = (EPOCH + since, identifier)
    text = pack(position)
    assert re.fullmatch(CURSOR_PATTERN, text)
    assert read_cursor({"cursor": text}) == position


@given(st.from_regex(CURSOR_PATTERN, fullmatch=True))
def test_every_text_of_a_cursors_form_is_a_place(text: str) -> None:
    position = read_cursor({"cursor": text})
    assert position is not None
    assert position[0] >= EPOCH
    assert pack(position) == text


@given(st.text(max_size=40).filter(lambda text: not re.fullmatch(CURSOR_PATTERN, text)))
def test_every_other_text_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_cursor({"cursor": text})


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_refused(raw: bytes) -> None:
    refusal: list[Any] = []
    try:
        parse(raw)
    except Invalid as error:
        refusal = [(entry["loc"][0], entry["type"]) for entry in error.entries]
    assert refusal in ([], [("body", "value_error.jsondecode")])


@given(st.text(alphabet=st.characters(codec=None)))
def test_storable_is_what_utf8_can_carry_without_nul(text: str) -> None:
    carried = text.encode(errors="surrogatepass").decode(errors="replace") == text
    assert storable(text) is (carried and "\x00" not in text)


def test_the_schema_of_a_past_day_never_promises_a_day_to_come() -> None:
    pattern = PastDay().json_schema()["pattern"]
    this_year = datetime.now(UTC).year
    for year in (1, 9, 10, 99, 100, 999, 1000, 1899, 1999, 2000, 2009, 2010, this_year - 1):
        assert re.search(pattern, f"{year:04}-01-01"), year
    for year in (0, this_year, this_year + 1, 2100, 3000, 9999):
        assert not re.search(pattern, f"{year:04}-01-01"), year


@pytest.mark.parametrize("sent", [True, 1, 0, "YES", "off", "maybe", "", 2, 0.5, [], None, "tRuE", "1 "])
def test_the_schema_of_a_flag_agrees_with_the_field(sent: Any) -> None:
    try:
        Flag().run_validation(sent)
        taken = True
    except ValidationError:
        taken = False
    assert jsonschema_rs.validator_for(Flag().json_schema()).is_valid(sent) is taken


def test_a_cursor_is_no_longer_than_it_must_be() -> None:
    assert len(pack((EPOCH + timedelta(days=1), uuid4()))) == 32
