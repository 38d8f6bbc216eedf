"""Replacing a leaked key: staff offer, and an admin of the organisation takes the new key by a mailed link."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import structlog
import time_machine
from django.core import mail
from django.db import connection
from django.shortcuts import resolve_url
from django.test import Client
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.api_keys import links, notices, replacements, services, tokens
from apps.api_keys.models import ApiKey, KeyNotice, KeyReplacement
from helios_site.logs import redact
from tests.conftest import MakeKey, with_totp
from tests.pages import page_text

pytestmark = pytest.mark.django_db
LIST = "/admin/api_keys/apikey/"
HOUR = timedelta(hours=1)


def text(response: Any) -> str:
    return str(response.content.decode())


def call(raw_key: str) -> int:
    return Client().get("/v1/account", headers={"x-api-key": raw_key}).status_code


def signed_in(email: str, organization: Organization | None, role: str = "admin", **fields: Any) -> Client:
    user = User.objects.create_user(email, **fields)
    if organization is not None:
        Membership.objects.create(organization=organization, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def ada(organization: Organization) -> Client:
    """An admin of the organisation, signed in."""
    return signed_in("ada@example.org", organization)


def mailed_link() -> str:
    """The path of the link in the newest mail."""
    notices.send_due_notices()
    [link] = re.findall(r"http://127\.0\.0\.1:8000(/key-replacements/\S+)", str(mail.outbox[-1].body))
    return str(link)


def offer(key: ApiKey, staff: User, reason: str = "found in a public log") -> bool:
    _, is_new = replacements.offer_replacement(actor=SYSTEM, key_id=key.pk, reason=reason, offered_by=staff)
    return is_new


# -- The whole way ------------------------------------------------------------------------------------


def test_staff_revoke_and_replace_and_an_admin_of_the_organisation_takes_the_new_key(
    admin: Client, staff: User, ada: Client, make_key: MakeKey, organization: Organization
) -> None:
    until = timezone.now() + 30 * 24 * HOUR
    old, raw_old = make_key(
        name="EHR sync", scopes=["model_runs:read"], expires_at=until, allowed_cidrs=["127.0.0.0/8"],
        rate_limit_per_minute=50,
    )  # fmt: skip
    page = f"/admin/api_keys/apikey/{old.pk}/"
    assert f"{page}replace/" in text(admin.get(f"{page}change/"))
    assert "Nobody else" in text(admin.get(f"{page}replace/", {"reason": "a GET does nothing"}))
    assert "errorlist" in text(admin.post(f"{page}replace/", {"reason": " "}))
    assert call(raw_old) == 200
    done = admin.post(f"{page}replace/", {"reason": "found in a public log"}, follow=True)
    assert "are mailed a link" in text(done)
    assert call(raw_old) == 401

    link = mailed_link()
    assert [one.to for one in mail.outbox] == [["ada@example.org"]]  # one mail, not one for each of the two news
    assert mail.outbox[0].subject == f"API key {old.key_prefix}… of Northern Clinic: revoked, and how to take a new one"
    assert "found in a public log" in str(mail.outbox[0].body)
    assert "open: offered by staff@example.org" in text(admin.get(f"{page}change/"))

    shown = text(ada.get(link))
    for word in ("EHR sync", f"{old.key_prefix}…", "found in a public log", "model_runs:read", "127.0.0.0/8"):
        assert word in shown
    assert ApiKey.objects.count() == 1
    answer = ada.post(link)
    (raw_new,) = tokens.find_keys(text(answer))
    assert (answer.status_code, call(raw_new), call(raw_old)) == (200, 200, 401)
    assert "no-store" in answer.headers["Cache-Control"]
    new, taker = ApiKey.objects.get(replaces__isnull=False), User.objects.get(email="ada@example.org")
    assert (new.name, new.scopes, new.expires_at, new.allowed_cidrs, new.rate_limit_per_minute, new.created_by) == (
        "EHR sync", ["model_runs:read"], until, ["127.0.0.0/8"], 50, taker,
    )  # fmt: skip
    old.refresh_from_db()
    assert (old.superseded_by, old.status()) == (new, "revoked")

    later = ada.get(link)
    assert later.status_code == 410
    assert "ada@example.org took the new key" in " ".join(text(later).split())
    assert ada.post(link).status_code == 410
    assert ApiKey.objects.count() == 2
    assert raw_new not in text(later) + text(admin.get(f"{page}change/")) + text(admin.get(f"{page}history/"))
    assert f"taken by ada@example.org at {timezone.now():%Y-%m-%d}" in text(admin.get(f"{page}change/"))
    rows = AuditEvent.objects.filter(object_type="api_key", actor_type__in=["staff", "user"]).order_by("id")
    rows = rows.exclude(action__endswith="viewed")
    assert list(rows.values_list("action", "object_id", "actor_id")) == [
        ("api_key.revoked", str(old.pk), str(staff.pk)),
        ("api_key.replacement_offered", str(old.pk), str(staff.pk)),
        ("api_key.replaced", str(old.pk), str(taker.pk)),
        ("api_key.created", str(new.pk), str(taker.pk)),
    ]
    assert set(rows.values_list("organization_id", flat=True)) == {organization.pk}


# -- Who may, and how ---------------------------------------------------------------------------------


def test_reading_the_link_makes_no_key_and_no_other_method_is_taken(
    ada: Client, staff: User, make_key: MakeKey
) -> None:
    offer(make_key()[0], staff)
    link = mailed_link()
    methods = ("get", "head", "put", "delete", "options")
    assert [getattr(ada, method)(link).status_code for method in methods] == [200, 200, 405, 405, 405]
    assert "no-store" in ada.get(link).headers["Cache-Control"]
    strict = Client(enforce_csrf_checks=True)
    strict.cookies["sessionid"] = ada.cookies["sessionid"].value
    assert strict.post(link).status_code == 403
    assert ApiKey.objects.count() == 1


def test_who_is_not_signed_in_is_sent_to_the_log_in_and_back(
    ada: Client, staff: User, make_key: MakeKey, settings: Any
) -> None:
    offer(make_key()[0], staff)
    link = mailed_link()
    for answer in (Client().get(link), Client().post(link)):
        assert answer.status_code == 302
        assert answer.headers["Location"] == f"{resolve_url(settings.LOGIN_URL)}?next={link}"
    assert ApiKey.objects.count() == 1


def test_only_an_admin_of_that_organisation_may(
    ada: Client, staff: User, make_key: MakeKey, organization: Organization, other_organization: Organization
) -> None:
    offer(make_key(name="EHR sync")[0], staff)
    link = mailed_link()
    member = signed_in("member@example.org", organization, "member")
    foreign = signed_in("foreign@example.org", other_organization)
    nobody = signed_in("nobody@example.org", None, is_staff=True, is_superuser=True)
    for client, status in ((member, 403), (foreign, 404), (nobody, 404)):
        for answer in (client.get(link), client.post(link)):
            assert answer.status_code == status
            assert "EHR sync" not in text(answer)
    unknown = [foreign.get(f"/key-replacements/{token}") for token in ("x", "x" * 5000, "%00", "%ED%A0%80")]
    assert {(answer.status_code, page_text(answer)) for answer in unknown} == {(404, page_text(foreign.get(link)))}
    Organization.objects.filter(pk=organization.pk).update(is_active=False)
    assert ada.post(link).status_code == 404
    assert ApiKey.objects.count() == 1


def test_an_admin_of_several_organisations_need_not_switch(
    ada: Client, staff: User, make_key: MakeKey, other_organization: Organization
) -> None:
    user = User.objects.get(email="ada@example.org")
    Membership.objects.create(organization=other_organization, user=user, role="admin")
    offer(make_key(organization=other_organization)[0], staff)
    assert ada.post(mailed_link()).status_code == 200
    assert ApiKey.objects.filter(organization=other_organization).count() == 2


# -- The life of a link -------------------------------------------------------------------------------


def test_a_link_ends_after_24_hours_at_the_exact_instant(ada: Client, staff: User, make_key: MakeKey) -> None:
    offer(make_key()[0], staff)
    link = mailed_link()
    end = KeyReplacement.objects.get().expires_at
    assert abs(end - timezone.now() - 24 * HOUR) < HOUR
    with time_machine.travel(end - timedelta(seconds=1), tick=False):
        assert ada.get(link).status_code == 200
    with time_machine.travel(end, tick=False):
        for answer in (ada.get(link), ada.post(link)):
            assert answer.status_code == 410
            assert "Ask your Helios staff for a new" in text(answer)
    assert ApiKey.objects.count() == 1


def test_a_link_whose_mail_was_late_has_its_24_hours_from_the_mail_on(
    ada: Client, staff: User, make_key: MakeKey
) -> None:
    offer(make_key()[0], staff)
    offered = timezone.now()
    with time_machine.travel(offered + 20 * HOUR):
        mailed_link()
    assert KeyReplacement.objects.get().state(offered + 43 * HOUR) == "open"
    assert KeyReplacement.objects.get().state(offered + 45 * HOUR) == "expired"


def test_offering_again_mails_another_link_and_ends_the_one_before(ada: Client, staff: User, make_key: MakeKey) -> None:
    key, _ = make_key()
    assert offer(key, staff)
    first = mailed_link()
    assert not offer(key, staff, "the mail was lost")
    second = mailed_link()
    assert [ada.post(first).status_code, ada.post(second).status_code] == [410, 200]
    assert KeyNotice.objects.filter(kind="replaced").count() == 2


@pytest.mark.parametrize("place", ["page", "list"])
def test_a_key_that_is_revoked_already_keeps_its_reason_and_gets_a_link(
    admin: Client, ada: Client, make_key: MakeKey, place: str
) -> None:
    key, _ = make_key()
    services.revoke_key(actor=SYSTEM, key_id=key.pk, reason="leak_report")
    form = {"reason": "its owner asked"}
    if place == "page":
        done = admin.post(f"{LIST}{key.pk}/replace/", form, follow=True)
    else:
        ticked = {"action": "replace_selected", "_selected_action": [str(key.pk)]}
        assert "Revoke and replace" in text(admin.post(LIST, ticked))
        done = admin.post(LIST, ticked | form, follow=True)
    assert "1 already revoked." in text(done)
    key.refresh_from_db()
    assert key.revoked_reason == "leak_report"
    assert ada.post(mailed_link()).status_code == 200


def test_found_keys_are_replaced_from_the_page_that_found_them(admin: Client, ada: Client, make_key: MakeKey) -> None:
    raw_keys = [make_key(name=f"key {number}")[1] for number in range(2)]
    page = text(admin.post(f"{LIST}find/", {"text": " ".join(raw_keys)}))
    assert 'name="action" value="replace_selected"' in page
    ticked = re.findall(r'name="_selected_action" value="([^"]+)" checked', page)
    form = {"action": "replace_selected", "_selected_action": ticked, "reason": "in a public repository"}
    assert admin.post(LIST, form).status_code == 302
    assert [call(raw_key) for raw_key in raw_keys] == [401, 401]
    notices.send_due_notices()
    [one] = mail.outbox
    found = re.findall(r"/key-replacements/\S+", str(one.body))
    assert [ada.post(link).status_code for link in found] == [200, 200]


def test_staff_are_told_when_nobody_can_be_mailed(admin: Client, make_key: MakeKey) -> None:
    key, _ = make_key()
    assert "has no admin" in text(admin.post(f"{LIST}{key.pk}/replace/", {"reason": "x"}, follow=True))


def test_replacing_needs_the_permission_and_a_csrf_token(staff: User, make_key: MakeKey) -> None:
    key, raw_key = make_key()
    page = f"{LIST}{key.pk}/replace/"
    limited = signed_in("limited@example.org", None, is_staff=True)
    with_totp(User.objects.get(email="limited@example.org"))
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(staff)
    assert [client.post(page, {"reason": "x"}).status_code for client in (limited, strict, Client())] == [403, 403, 302]
    assert call(raw_key) == 200


# -- The new key --------------------------------------------------------------------------------------


def test_a_key_whose_expiry_is_past_gets_as_long_a_life_again(ada: Client, staff: User, make_key: MakeKey) -> None:
    key, _ = make_key()
    now = timezone.now()
    ApiKey.objects.filter(pk=key.pk).update(created_at=now - 40 * 24 * HOUR, expires_at=now - 10 * 24 * HOUR)
    offer(key, staff)
    ada.post(mailed_link())
    new = ApiKey.objects.get(replaces__isnull=False)
    assert new.expires_at is not None
    assert abs(new.expires_at - now - 30 * 24 * HOUR) < HOUR


def test_an_organisation_without_room_is_told_so_and_may_try_again(
    ada: Client, staff: User, make_key: MakeKey, settings: Any
) -> None:
    old, other = make_key()[0], make_key()[0]
    offer(old, staff)
    link = mailed_link()
    settings.API_KEY_MAX_PER_ORG = 1
    refused = ada.post(link)
    assert refused.status_code == 409
    assert "the most it may have" in text(refused)
    services.revoke_key(actor=SYSTEM, key_id=other.pk, reason="not needed")
    assert ada.post(link).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_parallel_presses_make_one_key(ada: Client, staff: User, make_key: MakeKey) -> None:
    offer(make_key()[0], staff)
    link = mailed_link()

    def press(_: int) -> int:
        client = Client()
        client.cookies["sessionid"] = ada.cookies["sessionid"].value
        try:
            return client.post(link).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(press, range(6))) == [200, 410, 410, 410, 410, 410]
    assert ApiKey.objects.count() == 2


# -- The secret of the link ---------------------------------------------------------------------------


def test_the_token_is_kept_as_a_digest_and_in_no_log(
    ada: Client, staff: User, make_key: MakeKey, caplog: pytest.LogCaptureFixture
) -> None:
    offer(make_key()[0], staff)
    link = mailed_link()
    token = link.rpartition("/")[2]
    assert len(token) >= 43
    with structlog.testing.capture_logs() as lines, caplog.at_level("DEBUG"):
        ada.get(link)
        ada.post(link)
    assert [line["path"] for line in lines] == ["/key-replacements/[redacted]"] * 2
    assert token not in redact(caplog.text)  # as the one handler writes what Django tells at its most talkative
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}" AS row WHERE row::text LIKE %s', [f"%{token}%"])  # noqa: S608
            assert cursor.fetchone() == (0,), table
    assert AuditEvent.objects.get(action="api_key.replaced").path == "/key-replacements/[redacted]"
    assert links.find(token) is not None
    assert token not in redact(f"Forbidden (CSRF cookie not set.): {link}")
