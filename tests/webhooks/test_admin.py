"""Staff see where events go, and switch endpoints off and on; they see no secret and no body."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from apps.accounts.models import AuditEvent, Organization, User
from tests.conftest import with_totp
from tests.webhooks.conftest import MakeEndpoint, say

pytestmark = pytest.mark.django_db
ENDPOINTS, DELIVERIES = "/admin/webhooks/webhookendpoint/", "/admin/webhooks/webhookdelivery/"


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(with_totp(User.objects.create_superuser("ada@example.org", "a long password of hers")))
    return client


def test_pages_show_endpoints_and_deliveries_without_secret_and_label(
    staff: Client, organization: Organization, make_endpoint: MakeEndpoint
) -> None:
    endpoint = make_endpoint()
    say(organization, user_label="label-canary")
    delivery = endpoint.deliveries.get()
    one, log = f"{ENDPOINTS}{endpoint.pk}/change/", f"{DELIVERIES}?endpoint__id__exact={endpoint.pk}"
    seen = ""
    for page in (ENDPOINTS, f"{ENDPOINTS}?q=northern", one, log, f"{DELIVERIES}{delivery.pk}/change/"):
        response = staff.get(page)
        assert response.status_code == 200, page
        text = response.content.decode()
        assert (endpoint.url if page != log else str(delivery.pk)) in text, page
        seen += text
    assert log.replace("&", "&amp;") in seen
    assert "label-canary" not in seen
    assert endpoint.secret.removeprefix("whsec_") not in seen  # type: ignore[attr-defined]
    assert endpoint.url not in staff.get(f"{ENDPOINTS}?q=southern").content.decode()


def test_an_endpoint_is_disabled_and_enabled_with_a_reason(staff: Client, make_endpoint: MakeEndpoint) -> None:
    endpoint = make_endpoint()
    page = f"{ENDPOINTS}{endpoint.pk}/switch/"
    assert "Disable" in staff.get(page).content.decode()
    assert staff.post(page, {"verb": "disable", "reason": " "}).status_code == 200
    endpoint.refresh_from_db()
    assert endpoint.is_enabled
    for _ in range(2):  # two who press the same button do not undo each other
        assert staff.post(page, {"verb": "disable", "reason": "floods its logs"}).status_code == 302
    endpoint.refresh_from_db()
    assert (endpoint.is_enabled, endpoint.disabled_reason) == (False, "floods its logs")
    assert staff.post(page, {"verb": "enable", "reason": "mended"}).status_code == 302
    endpoint.refresh_from_db()
    assert endpoint.is_enabled
    events = AuditEvent.objects.filter(object_id=str(endpoint.pk), actor_type="staff").order_by("id")
    assert [(event.action, event.reason) for event in events] == [
        ("webhook.disabled", "floods its logs"),
        ("webhook.enabled", "mended"),
    ]
    assert "floods its logs" in staff.get(f"{ENDPOINTS}{endpoint.pk}/history/").content.decode()


def test_nothing_else_can_be_done_and_switching_needs_the_permission(make_endpoint: MakeEndpoint) -> None:
    endpoint = make_endpoint()
    user = with_totp(User.objects.create_user("reader@example.org", is_staff=True))
    user.user_permissions.add(Permission.objects.get(codename="view_webhookendpoint"))
    client = Client()
    client.force_login(user)
    page = client.get(f"{ENDPOINTS}{endpoint.pk}/change/").content.decode()
    assert "/switch/" not in page
    assert client.post(f"{ENDPOINTS}{endpoint.pk}/switch/", {"verb": "disable", "reason": "x"}).status_code == 403
    for path in (f"{ENDPOINTS}add/", f"{ENDPOINTS}{endpoint.pk}/delete/"):
        assert client.get(path).status_code == 403
    assert client.post(f"{ENDPOINTS}{endpoint.pk}/change/", {"url": "https://evil.example/"}).status_code == 403
    endpoint.refresh_from_db()
    assert endpoint.is_enabled
