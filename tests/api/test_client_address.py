"""Whose address a request is counted under."""

from __future__ import annotations

import ipaddress

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from helios_site.api.client_address import bucket_of, client_address, is_in_networks, parse_address


@pytest.fixture
def proxies(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = tuple(ipaddress.ip_network(net) for net in ("10.0.0.0/8", "2001:db8:f::/48"))


def address_of(peer: str, forwarded: str | None = None) -> str | None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address(RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer))


@pytest.mark.usefixtures("proxies")
@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # the peer is no proxy of ours
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),  # what stands left is the caller's own writing
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, garbage", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, garbage, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", ",,,", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:db8:f::1", "2001:db8:0:0::1", "2001:db8::1"),
        ("::ffff:10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", ", ".join(["198.51.100.1"] * 5000), "198.51.100.1"),
        ("", "198.51.100.1", None),
    ],
)
def test_forwarded_addresses_count_only_as_far_as_trusted_proxies_wrote_them(
    peer: str, forwarded: str | None, expected: str | None
) -> None:
    assert address_of(peer, forwarded) == expected


def test_without_trusted_proxies_the_header_is_never_believed() -> None:
    assert address_of("127.0.0.1", "198.51.100.1") == "127.0.0.1"


@pytest.mark.usefixtures("proxies")
@given(st.text(alphabet=st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=100))
def test_no_header_breaks_the_reading(forwarded: str) -> None:
    found = address_of("10.0.0.1", forwarded)
    assert found is not None
    assert str(ipaddress.ip_address(found)) == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" 10.1.2.3 ", "10.1.2.3"),
        ("fe80::1%eth0", "fe80::1"),
        ("::FFFF:10.1.2.3", "10.1.2.3"),
        ("010.1.2.3", None),
        ("10.1.2", None),
        ("[::1", "::1"),
        ("localhost", None),
        ("", None),
        ("\u0661.1.1.1", None),
    ],
)
def test_addresses_are_read_in_every_usual_form(text: str, expected: str | None) -> None:
    found = parse_address(text)
    assert (None if found is None else str(found)) == expected


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("11.0.0.1", False),
        ("2001:db8:1::5", True),
        ("2001:db8:2::5", False),
        ("0a01:0203::", False),
        (None, False),
        ("nonsense", False),
    ],
)
def test_networks_are_compared_as_numbers(address: str | None, inside: bool) -> None:
    assert is_in_networks(address, ("10.0.0.0/8", "2001:db8:1::/48")) is inside


def test_an_ipv6_caller_is_counted_by_its_64_and_an_ipv4_caller_alone() -> None:
    assert bucket_of("2001:db8:1:2:aaaa::1") == bucket_of("2001:db8:1:2:bbbb::9") == "2001:db8:1:2::"
    assert bucket_of("2001:db8:1:3::1") != bucket_of("2001:db8:1:2::1")
    assert bucket_of("10.0.0.1") == "10.0.0.1"
    assert bucket_of(None) == "unknown"
