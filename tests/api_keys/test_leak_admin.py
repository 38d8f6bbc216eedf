"""The staff's box for leaked keys, and revoking all keys of an organisation."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Organization, User
from apps.api_keys import services, tokens
from apps.api_keys.models import ApiKey, KeyNotice
from tests.conftest import MakeKey, with_totp

pytestmark = pytest.mark.django_db
LIST = "/admin/api_keys/apikey/"
FIND = f"{LIST}find/"


def call(raw_key: str) -> int:
    return Client().get("/v1/account", headers={"x-api-key": raw_key}).status_code


def text(response: Any) -> str:
    return str(response.content.decode())


def ticked(page: str) -> list[str]:
    return re.findall(r'name="_selected_action" value="([^"]+)" checked', page)


def test_keys_in_a_pasted_text_are_found_with_whose_they_are(
    admin: Client, staff: User, make_key: MakeKey, other_organization: Organization
) -> None:
    live, raw_live = make_key(name="EHR sync")
    gone, raw_gone = make_key(name="old", organization=other_organization)
    services.revoke_key(actor=SYSTEM, key_id=gone.pk, reason="laptop stolen")
    bystander, _ = make_key(name="bystander")
    unknown = tokens.generate()
    pasted = f"GET /?k={raw_live} 200\nx-api-key: {raw_gone}hlsk_ \x00 {unknown}\n{raw_live} hlsk_wrong"
    response = admin.post(FIND, {"text": pasted})
    page = text(response)
    assert "no-store" in response.headers["Cache-Control"]
    whose = ("EHR sync", "Northern Clinic", "Southern Clinic", "laptop stolen")
    for word in (f"{live.key_prefix}…", f"{gone.key_prefix}…", *whose):
        assert word in page
    assert f"{unknown[:12]}…" in page
    assert "bystander" not in page
    assert ticked(page) == [str(live.pk)]
    assert f"{LIST}{gone.pk}/change/" in page
    seen = AuditEvent.objects.filter(action="api_key.leak_seen")
    assert {event.object_id for event in seen} == {str(live.pk), str(gone.pk)}
    assert {(event.actor_type, event.actor_id) for event in seen} == {("staff", str(staff.pk))}
    assert "in a text that staff pasted" in text(admin.get(f"{LIST}{gone.pk}/history/"))
    assert call(raw_live) == 200  # looking revokes nothing
    assert bystander.revoked_at is None


def test_the_pasted_text_is_kept_nowhere(admin: Client, make_key: MakeKey, caplog: pytest.LogCaptureFixture) -> None:
    _, raw_key = make_key()
    secret = "a line of somebody's log"
    with caplog.at_level("DEBUG"):
        page = text(admin.post(FIND, {"text": f"{secret} {raw_key}"}))
    stored = [str(session.get_decoded()) for session in Session.objects.all()]
    for place in (page, caplog.text, str(admin.cookies), *stored):
        assert secret not in place
        assert raw_key[12:] not in place
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            for kept in (secret, raw_key[12:]):
                cursor.execute(f'SELECT count(*) FROM "{table}" AS row WHERE row::text LIKE %s', [f"%{kept}%"])  # noqa: S608
                assert cursor.fetchone() == (0,), table


def test_what_was_found_is_revoked_with_one_reason(admin: Client, make_key: MakeKey) -> None:
    raw_keys = [make_key(name=f"key {number}")[1] for number in range(3)]
    page = text(admin.post(FIND, {"text": " ".join(raw_keys)}))
    form = {"action": "revoke_selected", "_selected_action": ticked(page)}
    assert len(form["_selected_action"]) == 3
    assert "Revoke" in text(admin.post(LIST, form))
    assert [call(raw_key) for raw_key in raw_keys] == [200] * 3
    assert admin.post(LIST, form | {"reason": "found in a public log"}).status_code == 302
    assert [call(raw_key) for raw_key in raw_keys] == [401] * 3
    assert KeyNotice.objects.filter(kind="revoked").count() == 3


@pytest.mark.parametrize("pasted", ["nothing here", "hlsk_" + "0" * 38, "x" * 500_000])
def test_a_text_without_keys_says_so_and_asks_no_key_table(admin: Client, pasted: str) -> None:
    assert "No key of ours is in this text." in text(admin.post(FIND, {"text": pasted}))


@pytest.mark.parametrize("pasted", ["", "x" * 500_001])
def test_nothing_and_too_much_are_refused(admin: Client, pasted: str) -> None:
    assert "errorlist" in text(admin.post(FIND, {"text": pasted}))


def test_the_list_of_keys_leads_to_the_box(admin: Client) -> None:
    assert FIND in text(admin.get(LIST))
    assert admin.get(FIND).status_code == 200


def test_all_keys_of_an_organisation_are_revoked_with_one_reason_each_with_its_own_row(
    admin: Client, staff: User, make_key: MakeKey, organization: Organization, other_organization: Organization
) -> None:
    raw_keys = [make_key(name=f"key {number}")[1] for number in range(3)]
    gone, _ = make_key()
    services.revoke_key(actor=SYSTEM, key_id=gone.pk, reason="earlier")
    spared = make_key(organization=other_organization)[1]
    path = f"{LIST}revoke-organization/{organization.pk}/"
    assert path in text(admin.get(f"/admin/accounts/organization/{organization.pk}/change/"))
    assert "3 API keys" in text(admin.get(path))
    assert "errorlist" in text(admin.post(path, {"reason": " "}))
    assert [call(raw_key) for raw_key in raw_keys] == [200] * 3
    done = admin.post(path, {"reason": "break-in"}, follow=True)
    assert "3 API keys of Northern Clinic" in text(done)
    assert [call(raw_key) for raw_key in (*raw_keys, spared)] == [401, 401, 401, 200]
    reasons = ApiKey.objects.filter(organization=organization).values_list("revoked_reason", flat=True)
    assert sorted(reasons) == ["break-in", "break-in", "break-in", "earlier"]
    rows = AuditEvent.objects.filter(action="api_key.revoked", reason="break-in", actor_id=str(staff.pk))
    assert rows.count() == 3


def test_expired_keys_are_revoked_too_and_doing_it_again_revokes_none(
    admin: Client, make_key: MakeKey, organization: Organization
) -> None:
    key, _ = make_key()
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())
    path = f"{LIST}revoke-organization/{organization.pk}/"
    assert "Revoked: 1 API key of" in text(admin.post(path, {"reason": "x"}, follow=True))
    assert "Revoked: 0 API keys" in text(admin.post(path, {"reason": "x"}, follow=True))


def test_only_staff_with_the_permission_may(make_key: MakeKey, organization: Organization) -> None:
    _, raw_key = make_key()
    plain = User.objects.create_user("member@example.org")
    limited = with_totp(User.objects.create_user("limited@example.org", is_staff=True))
    path = f"{LIST}revoke-organization/{organization.pk}/"
    for user, status in ((plain, 302), (limited, 403)):
        client = Client()
        client.force_login(user)
        assert client.post(path, {"reason": "x"}).status_code == status
        assert client.post(FIND, {"text": raw_key}).status_code == status
    assert call(raw_key) == 200
    assert not AuditEvent.objects.filter(action="api_key.leak_seen").exists()


def test_both_pages_need_a_csrf_token_and_a_known_organisation(
    staff: User, admin: Client, make_key: MakeKey, organization: Organization
) -> None:
    _, raw_key = make_key()
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    assert client.post(FIND, {"text": raw_key}).status_code == 403
    assert client.post(f"{LIST}revoke-organization/{organization.pk}/", {"reason": "x"}).status_code == 403
    assert call(raw_key) == 200
    unknown = "00000000-0000-4000-8000-000000000000"
    assert admin.post(f"{LIST}revoke-organization/{unknown}/", {"reason": "x"}).status_code == 404
