"""Documents in the browsable API."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.accounts.models import Membership, Organization, User
from apps.patients.models import Document
from tests.contract.healos.documents import of, pdf
from tests.contract.healos.patients import create

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(organization: Organization) -> Client:
    user = User.objects.create_user("member@example.org")
    Membership.objects.create(organization=organization, user=user, role="member")
    client = Client(enforce_csrf_checks=True, headers={"accept": "text/html"})
    client.force_login(user)
    return client


def test_a_member_uploads_and_sees_documents_by_a_form(api: Client, browser: Client) -> None:
    page = f"/browse{of(create(api))}"
    shown = browser.get(page).content.decode()
    assert re.search(r'<input[^>]*name="file"[^>]*type="file"|<input[^>]*type="file"[^>]*name="file"', shown)
    [token] = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', shown))

    def sent(content: bytes, **fields: Any) -> Any:
        form = {"csrfmiddlewaretoken": token, "file": SimpleUploadedFile("scan.pdf", content), "external_id": ""}
        return browser.post(page, form | fields)

    answer = sent(pdf())
    assert answer.status_code == 201, answer.content
    assert "Document uploaded successfully" in answer.content.decode()
    assert Document.objects.get().external_id is None
    assert "scan.pdf" in browser.get(page).content.decode()
    assert "Only PDF, JPEG, PNG and DOCX files are accepted" in sent(b"only text").content.decode()
    too_large = sent(pdf() + bytes(django_settings.HEALOS_DOCUMENT_MAX_BYTES + 70_000))
    assert (too_large.status_code, "The file is too large" in too_large.content.decode()) == (400, True)
    assert sent(pdf(), csrfmiddlewaretoken="x" * 64).status_code == 403
    assert Document.objects.count() == 1
