"""Staff revoke a leaked key in the admin, as a person with a browser does it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection

from apps.accounts.models import Organization
from apps.api_keys.models import ApiKey
from tests.accounts.signing import PASSWORD, code_for, make_person, secret_of
from tests.browser.visitor import Visitor, visit
from tests.conftest import RECORDINGS, MakeKey, Server, with_totp

pytestmark = [pytest.mark.browser, RECORDINGS]
LIST = "/admin/api_keys/apikey/"
MOST_CLICKS = 6
OTHERS = 10_000
# How much of the page, or of a list on it, cannot be seen without scrolling sideways.
HIDDEN_PIXELS = """
Math.max(...[document.documentElement, ...document.querySelectorAll(".results")].map(
    (box) => box.scrollWidth - box.clientWidth))
"""


def fill(organization: Organization) -> None:
    """Keys whose names are as long as names may be, with every column of the list filled."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO api_keys_apikey (id, organization_id, name, key_prefix, digest, pepper_version, scopes,"
            " revoked_reason, allowed_cidrs, created_at, last_used_at, expires_at)"
            " SELECT gen_random_uuid(), %s, rpad('Nightly export ' || n, 100, 'm'), 'hlsk_' || left(md5(n::text), 7),"
            " sha256(n::text::bytea), '', '{model_runs:read,model_runs:write,usage:read}', '', '{}',"
            " now() - n * interval '1 second', now(), now() + interval '90 days' FROM generate_series(1, %s) AS n",
            [organization.pk, OTHERS],
        )


def status(server: Server, raw_key: str) -> int:
    with server.connect() as http:
        http.request("GET", "/v1/account", headers={"x-api-key": raw_key})
        return http.getresponse().status


def sign_in(staff: Visitor, email: str, secret: str) -> None:
    """With password and code, from the page that was asked for back to it."""
    staff.type(email)
    staff.press("Tab")
    staff.type(PASSWORD)
    staff.press("Enter")
    staff.type(code_for(secret))
    staff.press("Enter")


def test_staff_revoke_a_leaked_key_in_at_most_6_clicks_and_it_is_on_no_page_afterwards(
    server: Server, make_key: MakeKey, other_organization: Organization, tmp_path: Path
) -> None:
    person = with_totp(make_person("staff@example.org", is_staff=True, is_superuser=True))
    secret = secret_of(person)
    fill(other_organization)
    key, raw_key = make_key(name="EHR sync")
    log = f'10.0.0.7 - - "GET /v1/account HTTP/1.1" 200 "x-api-key: {raw_key}"\n10.0.0.9 - - "GET /livez HTTP/1.1" 200'
    assert status(server, raw_key) == 200

    def revoke(staff: Visitor) -> None:
        page = staff.page
        staff.goto("/admin/")
        sign_in(staff, person.email, secret)
        assert page.url == f"{server.url}/admin/"
        staff.click(page.get_by_role("link", name="Find leaked keys"))
        staff.type(log)
        staff.click(page.get_by_role("button", name="Find keys"))
        whose = page.get_by_role("row").filter(has_text="EHR sync").inner_text()
        assert "Northern Clinic" in whose
        assert "active" in whose
        staff.click(page.get_by_role("button", name="Revoke the ticked key"))
        staff.type("Found in a public log.")
        staff.click(page.get_by_role("button", name="Revoke", exact=True))
        assert "The next request is refused." in page.get_by_role("main").inner_text()
        pages = ("", f"{key.pk}/change/", f"{key.pk}/history/", "find/", "?q=EHR")
        for path in (*(LIST + path for path in pages), "/admin/accounts/auditevent/"):
            staff.goto(path)
            assert raw_key[len(key.key_prefix) :] not in page.content()
            assert page.evaluate(HIDDEN_PIXELS) == 0

    visitor = visit(server, tmp_path, revoke)
    assert visitor.clicks <= MOST_CLICKS
    assert visitor.complaints == []
    assert status(server, raw_key) == 401
    assert ApiKey.objects.get(pk=key.pk).revoked_reason == "Found in a public log."
    assert {"01-open.png", "trace.zip"} <= {kept.name for kept in tmp_path.iterdir()}
