"""The guarded client, against servers that are really there."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helios_site import outgoing
from helios_site.outgoing import Answer, CannotReach, InvalidURL, Refused
from helios_site.outgoing.addresses import is_public
from tests.receiver import (
    Receiver,
    Reply,
    answer,
    endless,
    make_certificate,
    nonsense,
    receiving,
    trickle,
    trickle_body,
)

LOCAL = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
Names = dict[str, list[list[str]]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Names of `.test` and what each look-up of them answers, in turn; the last answer stays."""
    names: Names = {}
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if not str(host).endswith(".test"):
            return real(host, port, *args, **kwargs)
        answers = names[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [entry for address in addresses for entry in real(address, port, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return names


def call(url: str, *, timeout: float = 5.0, **options: Any) -> Answer:
    options.setdefault("allowed", LOCAL)
    return outgoing.post(outgoing.parse(url), b'{"a":1}', {"X-Test": "yes"}, timeout=timeout, **options)


# -- what may be called -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",  # noqa: S104
        "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",
        "::", "::1", "fe80::1", "fe80::1%1", "fec0::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "100::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
        "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::", "2001:0:1::1",
    ],
)  # fmt: skip
def test_special_addresses_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::"],
)
def test_addresses_of_the_open_internet_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]", "169.254.169.254", "[fe80::1]", "[64:ff9b::7f00:1]", "10.0.0.1", "0",
    ],
)  # fmt: skip
def test_a_private_target_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(Refused, match="private or otherwise special"):
        call(f"https://{host}/", allowed=())


def test_a_name_with_one_private_address_is_refused_whole(resolver: Names, receiver: Receiver) -> None:
    resolver["mixed.test"] = [["93.184.216.34", "127.0.0.1"]]
    with pytest.raises(Refused):
        call(receiver.url(host="mixed.test"), allowed=())
    assert receiver.calls == []


def test_a_name_is_resolved_once_and_the_checked_address_is_called(resolver: Names, receiver: Receiver) -> None:
    """A resolver that answers differently the second time gets no second question."""
    resolver["rebind.test"] = [["127.0.0.1"], ["::1"]]
    assert call(receiver.url(host="rebind.test")).status == 200
    assert resolver["rebind.test"] == [["::1"]]
    with pytest.raises(CannotReach, match="refused"):  # nobody listens at the second address
        call(receiver.url(host="rebind.test"))
    assert len(receiver.calls) == 1


def test_a_name_that_turns_private_is_refused_at_the_next_call(resolver: Names, receiver: Receiver) -> None:
    resolver["turns.test"] = [["127.0.0.1"], ["127.1.0.1"]]
    allowed = (ipaddress.ip_network("127.0.0.1/32"),)
    assert call(receiver.url(host="turns.test"), allowed=allowed).status == 200
    with pytest.raises(Refused):
        call(receiver.url(host="turns.test"), allowed=allowed)


def test_a_mapped_address_is_judged_as_the_address_it_carries(resolver: Names, receiver: Receiver) -> None:
    resolver["mapped.test"] = [["::ffff:127.0.0.1"]]
    with pytest.raises(Refused):
        call(receiver.url(host="mapped.test"), allowed=())
    assert call(receiver.url(host="mapped.test")).status == 200


def test_http_is_for_named_networks_alone(resolver: Names) -> None:
    resolver["public.test"] = [["93.184.216.34"]]
    with pytest.raises(Refused, match="must begin with https"):
        call("http://public.test/", allowed=LOCAL)


@pytest.mark.parametrize(
    "url",
    [
        "", "example.org", "//example.org/", "ftp://example.org/", "file:///etc/passwd", "https://", "https:///x",
        "https://user:pass@example.org/", "https://example.org@127.0.0.1/", "https://example.org/#part",
        "https://example.org:0/", "https://example.org:99999/", "https://example.org:x/", "https://[::1/",
        "https://exa mple.org/", "https://example.org/\r\nX: y", "https://example.org/\\x", "https://bücher.example/",
        "https://example.org/" + "x" * 1000, "https://exa%6dple.org/", "https://[fe80::1%25eth0]/",
    ],
)  # fmt: skip
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidURL):
        outgoing.parse(url)


# -- how it is called --------------------------------------------------------------------------------------


def test_the_call_arrives_as_it_was_made(receiver: Receiver) -> None:
    found = call(receiver.url("/hook?a=b"))
    assert found == Answer(200, b"thanks")
    [arrived] = receiver.calls
    assert (arrived.path, arrived.body) == ("/hook?a=b", b'{"a":1}')
    assert arrived.headers["x-test"] == "yes"
    assert arrived.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_proxies_of_the_environment_are_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert call(receiver.url()).status == 200


def test_a_redirect_is_an_answer_and_is_not_followed(receiver: Receiver) -> None:
    with receiving() as private:
        receiver.reply = answer(307, Location=private.url())
        assert call(receiver.url()).status == 307
        assert private.calls == []
    assert len(receiver.calls) == 1


@pytest.mark.parametrize("reply", [trickle, lambda _: time.sleep(3)])
def test_the_whole_call_ends_at_its_deadline(receiver: Receiver, reply: Reply) -> None:
    receiver.reply = reply
    began = time.monotonic()
    with pytest.raises(CannotReach, match=r"no answer within 0\.4 s"):
        call(receiver.url(), timeout=0.4)
    assert time.monotonic() - began < 1.5


def test_a_slow_body_does_not_take_the_status_back(receiver: Receiver) -> None:
    receiver.reply = trickle_body
    began = time.monotonic()
    found = call(receiver.url(), timeout=0.5)
    assert time.monotonic() - began < 1.5
    assert found.status == 200
    assert 0 < len(found.body) < 30


def test_of_an_endless_body_only_the_beginning_is_read(receiver: Receiver) -> None:
    receiver.reply = endless
    assert call(receiver.url(), max_body=1000) == Answer(200, b"x" * 1000)


def test_a_slow_resolver_does_not_hold_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: Any, **__: Any) -> list[Any]:
        time.sleep(2)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    began = time.monotonic()
    with pytest.raises(CannotReach, match="no address"):
        call("https://slow.test/", timeout=0.2)
    assert time.monotonic() - began < 1


def test_what_cannot_be_reached_is_said_without_addresses(receiver: Receiver) -> None:
    receiver.reply = nonsense
    for url, reason in (
        (receiver.url(), "not HTTP"),
        ("http://127.0.0.1:1/", "refused"),
        ("https://x.invalid/", "no addr"),
    ):
        with pytest.raises(CannotReach, match=reason) as failure:
            call(url)
        assert "127" not in str(failure.value)


# -- TLS ---------------------------------------------------------------------------------------------------

MakeCertificate = Callable[..., Path]


def test_the_certificate_must_be_of_the_name_and_of_a_known_authority(resolver: Names, tmp_path: Path) -> None:
    resolver["hooks.test"] = resolver["other.test"] = [["127.0.0.1"]]
    certificate = make_certificate(tmp_path, "hooks.test")
    with receiving(certificate=certificate) as receiver:
        assert call(receiver.url(host="hooks.test"), ca_file=str(certificate)).status == 200
        assert receiver.calls[0].headers["host"] == f"hooks.test:{receiver.port}"
        assert call(receiver.url(), ca_file=str(certificate)).status == 200  # by its address
        with pytest.raises(CannotReach, match="certificate is not valid: Hostname mismatch"):
            call(receiver.url(host="other.test"), ca_file=str(certificate))
        with pytest.raises(CannotReach, match="certificate is not valid: self-signed"):
            call(receiver.url(host="hooks.test"))
        assert len(receiver.calls) == 2


def test_an_expired_certificate_is_refused(resolver: Names, tmp_path: Path) -> None:
    resolver["late.test"] = [["127.0.0.1"]]
    certificate = make_certificate(tmp_path, "late.test", valid=False)
    with receiving(certificate=certificate) as receiver:
        with pytest.raises(CannotReach, match="certificate has expired"):
            call(receiver.url(host="late.test"), ca_file=str(certificate))
        assert receiver.calls == []


def test_a_server_without_tls_is_no_https_server(receiver: Receiver) -> None:
    with pytest.raises(CannotReach, match="no encrypted connection"):
        call(receiver.url().replace("http:", "https:"))


def test_a_tls_server_that_never_shakes_hands_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(CannotReach, match="no answer within"):
            call(url, timeout=0.3)
