"""Admins of an organisation handle its webhooks in the browsable API."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from apps.accounts.models import Membership, Organization, User
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.webhooks.conftest import PUBLIC

HOOKS = "/browse/v1/webhooks"


@pytest.fixture
def admin(organization: Organization) -> Client:
    user = User.objects.create_user("admin@example.org")
    Membership.objects.create(organization=organization, user=user, role=Membership.Role.ADMIN)
    client = Client(headers={"accept": "text/html"})
    client.force_login(user)
    return client


@pytest.mark.django_db
def test_an_admin_creates_tests_and_reads_a_webhook_by_pages_and_forms(admin: Client) -> None:
    page = admin.get(HOOKS)
    assert page.status_code == 200
    assert 'name="events"' in page.content.decode()
    created = admin.post(HOOKS, {"url": PUBLIC, "events": ["model_run.completed", "model_run.failed"]})
    assert created.status_code == 200
    assert len(set(re.findall(r"whsec_[A-Za-z0-9+/=]+", created.content.decode()))) == 1
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.events == ["model_run.completed", "model_run.failed"]
    one = f"{HOOKS}/{endpoint.id}"
    for path in ("/test", "/rotate"):
        assert admin.post(one + path).status_code == 200, path
    delivery = WebhookDelivery.objects.get()
    assert admin.post(f"{one}/deliveries/{delivery.id}/resend").status_code == 200
    assert str(delivery.id) in admin.get(f"{one}/deliveries").content.decode()
    assert "whsec_" not in admin.get(one).content.decode()
    assert admin.delete(one).status_code == 200
    assert admin.get(one).status_code == 404


@pytest.mark.django_db
def test_a_wrong_form_says_what_is_wrong(admin: Client) -> None:
    response = admin.post(HOOKS, {"url": "https://127.0.0.1/", "events": ["model_run.completed"]})
    assert response.status_code == 422
    assert "this URL cannot be called" in response.content.decode()
    assert admin.post(HOOKS, {}).status_code == 422
