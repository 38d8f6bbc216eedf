from __future__ import annotations

from typing import Any

import pytest

from helios_site.encryption import CannotDecrypt, decrypt, encrypt


def test_what_is_encrypted_can_be_read_for_the_same_purpose_alone() -> None:
    token = encrypt("whsec_ä", purpose="one")
    assert b"whsec" not in token
    assert decrypt(token, purpose="one") == "whsec_ä"
    assert encrypt("whsec_ä", purpose="one") != token
    for wrong in (token[:-4] + b"AAA=", b"", b"nothing"):
        with pytest.raises(CannotDecrypt):
            decrypt(wrong, purpose="one")
    with pytest.raises(CannotDecrypt):
        decrypt(token, purpose="two")


def test_keys_are_rotated_by_putting_a_new_one_first(settings: Any) -> None:
    settings.HELIOS_ENCRYPTION_KEYS = ("a" * 32,)
    old = encrypt("text", purpose="test")
    settings.HELIOS_ENCRYPTION_KEYS = ("b" * 32, "a" * 32)
    assert decrypt(old, purpose="test") == "text"
    new = encrypt("text", purpose="test")
    settings.HELIOS_ENCRYPTION_KEYS = ("b" * 32,)
    assert decrypt(new, purpose="test") == "text"
    with pytest.raises(CannotDecrypt):
        decrypt(old, purpose="test")
