"""`GET /ext-api/v1/key`: a key asks what it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Organization
from apps.api_keys.models import ApiKey
from helios_site.api.families.healos.fields import timestamp
from helios_site.env import Rate
from tests.conftest import MakeKey
from tests.contract.healos.calls import OWN_KEY, with_key
from tests.contract.healos.conftest import SignIn

pytestmark = pytest.mark.django_db


def test_a_key_is_told_all_that_holds_for_it(make_key: MakeKey) -> None:
    expires_at = timezone.now() + timedelta(days=30)
    key, raw_key = make_key(
        name="EHR sync", scopes=["audit:read", "patients:read"], expires_at=expires_at,
        allowed_cidrs=["127.0.0.0/8", "2001:db8::/32"], rate_limit_per_minute=7,
    )  # fmt: skip
    answer = with_key(raw_key).get(OWN_KEY)
    assert answer["Cache-Control"] == "no-store"
    assert answer.json() == {
        "data": {
            "id": str(key.pk),
            "name": "EHR sync",
            "key_prefix": raw_key[:12],
            "scopes": ["patients:read", "audit:read"],
            "expires_at": timestamp(expires_at),
            "grace_ends_at": None,
            "status": "active",
            "allowed_cidrs": ["127.0.0.0/8", "2001:db8::/32"],
            "rate_limit_per_minute": 7,
            "rate_limit": {"limit": 7, "window_seconds": 60},
        }
    }
    assert raw_key[12:] not in answer.content.decode()


def test_the_limit_is_the_one_of_the_headers(api: Client, settings: Any) -> None:
    settings.HEALOS_RATE_LIMIT = Rate(30, 10)
    answer = api.get(OWN_KEY)
    data = answer.json()["data"]
    assert (data["rate_limit_per_minute"], data["rate_limit"]) == (None, {"limit": 30, "window_seconds": 10})
    assert answer["X-RateLimit-Limit"] == "30"


def test_a_key_in_its_grace_is_told_when_that_ends(make_key: MakeKey) -> None:
    key, raw_key = make_key()
    end = timezone.now() + timedelta(hours=1)
    ApiKey.objects.filter(pk=key.pk).update(grace_ends_at=end)
    data = with_key(raw_key).get(OWN_KEY).json()["data"]
    assert (data["status"], data["grace_ends_at"]) == ("grace", timestamp(end))


def test_in_the_browsable_api_it_is_the_session(sign_in: SignIn, organization: Organization) -> None:
    answer = sign_in(organization, "member").get(f"/browse{OWN_KEY}", headers={"accept": "application/json"})
    data = answer.json()["data"]
    assert (data["id"], data["name"], data["key_prefix"]) == (None, "person-0@example.org", None)
    assert "patients:read" in data["scopes"]
    assert "audit:read" not in data["scopes"]
    assert data["expires_at"].endswith("Z")
    page = sign_in(organization).get(f"/browse{OWN_KEY}", headers={"accept": "text/html"})
    assert page["Content-Type"].startswith("text/html")
    assert "person-1@example.org" in page.content.decode()
