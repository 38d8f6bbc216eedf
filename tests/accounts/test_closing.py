"""An organisation is closed and reopened by its admins and by staff, who are told of it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from apps.accounts import audit, closing, closing_notices
from apps.accounts.models import AuditEvent, Membership, Organization, OrganizationNotice, User
from apps.webhooks.models import WebhookEndpoint
from apps.webhooks.services import create_endpoint, disable_endpoint

pytestmark = pytest.mark.django_db

PAGE = "/organization/close"
REOPEN = "/organization/reopen"


def browser(organization: Organization, email: str, role: str = "admin") -> Client:
    user = User.objects.create_user(email)
    Membership.objects.create(organization=organization, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def owner(organization: Organization) -> Client:
    return browser(organization, "ada@example.org")


def close(organization: Organization) -> Organization:
    return closing.close_organization(actor=audit.SYSTEM, organization_id=organization.id, by="ada@example.org")


def reopen(organization: Organization) -> Organization:
    return closing.reopen_organization(actor=audit.SYSTEM, organization_id=organization.id, by="ada@example.org")


def actions() -> list[str]:
    events = AuditEvent.objects.filter(action__startswith="organization.").order_by("id")
    return list(events.values_list("action", flat=True))


def endpoint(organization: Organization) -> WebhookEndpoint:
    return create_endpoint(
        actor=audit.SYSTEM, organization_id=organization.id, url="https://93.184.216.34/", events=["api_key.revoked"]
    )[0]


# -- the page ------------------------------------------------------------------------------------------------


def test_whoever_types_the_name_closes_the_organisation(owner: Client, api: Client, organization: Organization) -> None:
    assert "To close it, type its name: Northern Clinic" in owner.get(PAGE).content.decode()
    assert api.get("/v1/account").status_code == 200
    before = timezone.now()
    assert owner.post(PAGE, {"name": "Northern Clinic"}).headers["Location"] == PAGE
    organization.refresh_from_db()
    assert organization.closing_at is not None
    assert timedelta(0) <= organization.closing_at - before - timedelta(days=14) < timedelta(minutes=1)
    assert (organization.is_active, organization.closed_at) == (False, None)
    assert api.get("/v1/account").status_code == 401
    page = owner.get(PAGE)
    assert (page.status_code, "Northern Clinic is closing" in page.content.decode()) == (200, True)
    refused = owner.get("/organization")
    assert (refused.status_code, "Closing: Northern Clinic." in refused.content.decode()) == (403, True)
    event = AuditEvent.objects.get(action="organization.closing")
    assert (event.actor_type, event.organization_id, event.path) == ("user", organization.id, PAGE)


@pytest.mark.parametrize("typed", ["", "northern clinic", "Northern", "Southern Clinic", "x" * 300])
def test_another_name_closes_nothing_and_says_so(owner: Client, organization: Organization, typed: str) -> None:
    reply = owner.post(PAGE, {"name": typed})
    page = reply.content.decode()
    assert (reply.status_code, 'role="alert"' in page, "<title>Error: " in page) == (400, True, True)
    organization.refresh_from_db()
    assert (organization.closing_at, actions()) == (None, [])


def test_members_and_strangers_close_nothing(organization: Organization, other_organization: Organization) -> None:
    member = browser(organization, "member@example.org", "member")
    assert "Only an organisation" in member.get(PAGE).content.decode()
    assert member.post(PAGE, {"name": organization.name}).status_code == 403
    foreign = browser(other_organization, "foreign@example.org")
    assert foreign.post(PAGE, {"name": organization.name, "organization_id": str(organization.id)}).status_code == 400
    assert Client().post(PAGE, {"name": organization.name}).headers["Location"].startswith("/login?")
    organization.refresh_from_db()
    assert organization.closing_at is None
    close(organization)
    for client in (member, foreign):
        assert client.post(REOPEN, {"organization_id": str(organization.id)}).status_code == 404
    assert member.get(PAGE).status_code == 403


def test_without_csrf_token_nothing_is_closed_or_reopened(owner: Client, organization: Organization) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = owner.cookies
    assert strict.post(PAGE, {"name": organization.name}).status_code == 403
    close(organization)
    assert strict.post(REOPEN, {"organization_id": str(organization.id)}).status_code == 403
    assert actions() == ["organization.closing"]


def test_an_admin_reopens_it_and_all_is_as_before(owner: Client, api: Client, organization: Organization) -> None:
    on, off = endpoint(organization), endpoint(organization)
    disable_endpoint(actor=audit.SYSTEM, endpoint_id=off.id, reason="it failed")
    close(organization)
    assert set(WebhookEndpoint.objects.values_list("disabled_reason", flat=True)) == {
        "The organisation is closing.",
        "it failed",
    }
    assert owner.post(REOPEN, {"organization_id": str(organization.id)}).headers["Location"] == "/organization"
    assert api.get("/v1/account").status_code == 200
    assert list(WebhookEndpoint.objects.filter(is_enabled=True)) == [on]
    page = owner.get("/organization").content.decode()
    assert "Northern Clinic is open again." in page
    assert PAGE in page
    assert actions() == ["organization.closing", "organization.reopened"]
    assert owner.post(REOPEN, {"organization_id": str(organization.id)}).status_code == 404
    assert owner.post(REOPEN, {"organization_id": "none"}).status_code == 404


def test_after_fourteen_days_nobody_reopens_it(organization: Organization) -> None:
    close(organization)
    with time_machine.travel(timezone.now() + timedelta(days=14, seconds=1)):
        owner = browser(organization, "ada@example.org")
        assert owner.post(REOPEN, {"organization_id": str(organization.id)}).status_code == 404
        with pytest.raises(closing.CannotReopen):
            reopen(organization)


# -- rules ---------------------------------------------------------------------------------------------------


def test_what_is_suspended_or_closing_already_is_not_closed(organization: Organization) -> None:
    Organization.objects.filter(pk=organization.pk).update(is_active=False)
    with pytest.raises(closing.CannotClose, match="suspended"):
        close(organization)
    Organization.objects.filter(pk=organization.pk).update(is_active=True)
    with pytest.raises(closing.CannotReopen):
        reopen(organization)
    first = close(organization).closing_at
    with pytest.raises(closing.CannotClose, match="already"):
        close(organization)
    organization.refresh_from_db()
    assert organization.closing_at == first


@pytest.mark.parametrize(
    "values", [{"is_active": True}, {"closing_at": None}, {"closed_at": timezone.now(), "archive_key": "x"}]
)
def test_the_database_keeps_what_is_closing_switched_off(organization: Organization, values: dict[str, Any]) -> None:
    close(organization)
    Organization.objects.filter(pk=organization.pk).update(archive_key="o/archives/1")
    with pytest.raises(IntegrityError), transaction.atomic():
        Organization.objects.filter(pk=organization.pk).update(**values)


# -- staff ---------------------------------------------------------------------------------------------------


def test_staff_close_and_reopen_with_a_reason(admin: Client, organization: Organization) -> None:
    change = f"/admin/accounts/organization/{organization.pk}/change/"
    page = f"/admin/accounts/organization/{organization.pk}/close/"
    assert page in admin.get(change).content.decode()
    assert "This field is required" in admin.post(page, {"verb": "close", "reason": " "}).content.decode()
    assert admin.post(page, {"verb": "close", "reason": "contract ended"}).headers["Location"] == change
    suspension = page.replace("/close/", "/suspension/")
    assert suspension not in admin.get(change).content.decode(), "only reopening switches it on"
    admin.post(suspension, {"verb": "resume", "reason": "x"})
    organization.refresh_from_db()
    assert not organization.is_active
    assert "is closing, or closed, already" in _after(admin, page, "close")
    assert 'value="reopen"' in admin.get(page).content.decode()
    assert "It is open again." in _after(admin, page, "reopen")
    assert "It is not closing" in _after(admin, page, "reopen")
    deeds = AuditEvent.objects.filter(action__in=["organization.closing", "organization.reopened"]).order_by("id")
    assert list(deeds.values_list("action", "actor_type", "reason")) == [
        ("organization.closing", "staff", "contract ended"),
        ("organization.reopened", "staff", "again"),
    ]


def _after(admin: Client, page: str, verb: str) -> str:
    return admin.post(page, {"verb": verb, "reason": "again"}, follow=True).content.decode()


def test_staff_who_may_not_change_organisations_close_none(organization: Organization) -> None:
    client = Client()
    client.force_login(User.objects.create_user("viewer@example.org", is_staff=True))
    page = f"/admin/accounts/organization/{organization.pk}/close/"
    assert client.post(page, {"verb": "close", "reason": "x"}).status_code in (302, 403)
    organization.refresh_from_db()
    assert organization.closing_at is None


# -- mails ---------------------------------------------------------------------------------------------------


def test_the_admins_alone_are_mailed_what_happened_and_until_when(
    owner: Client, organization: Organization, other_organization: Organization
) -> None:
    browser(organization, "member@example.org", "member")
    browser(organization, "grace@example.org")
    browser(other_organization, "foreign@example.org")
    closing_at = close(organization).closing_at
    assert closing_at is not None
    assert closing_notices.send_due_notices() == 1
    assert {tuple(one.to) for one in mail.outbox} == {("ada@example.org",), ("grace@example.org",)}
    assert mail.outbox[0].subject == "Northern Clinic is closing"
    assert f"{closing_at:%H:%M} UTC" in mail.outbox[0].body
    assert "ada@example.org has closed Northern Clinic." in mail.outbox[0].body
    assert "http://127.0.0.1:8000/organization/close" in mail.outbox[0].body
    assert closing_notices.send_due_notices() == 0
    reopen(organization)
    assert closing_notices.send_due_notices() == 1
    assert mail.outbox[-1].subject == "Northern Clinic is open again"
    assert not re.search(r"\{[{%]", "".join(str(one.body) for one in mail.outbox))


def test_a_mail_that_was_not_taken_is_sent_later(settings: Any, owner: Client, organization: Organization) -> None:
    close(organization)
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert closing_notices.send_due_notices() == 0
    settings.EMAIL_BACKEND = backend
    assert closing_notices.send_due_notices() == 0, "not at once"
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        assert closing_notices.send_due_notices() == 1
    assert len(mail.outbox) == 1


def test_news_that_a_reopening_overtook_is_not_mailed(owner: Client, organization: Organization) -> None:
    close(organization)
    reopen(organization)
    assert closing_notices.send_due_notices() == 1
    assert [one.kind for one in OrganizationNotice.objects.all()] == ["reopened"]
