"""`public_url`: the contract's line 87; and a list without `meta`, of line 84."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from apps.accounts.models import AuditEvent, Organization
from apps.patients.documents.links import public_url
from apps.patients.models import Document
from helios_site.storage import object_store
from tests.contract.healos.calls import content_of, send
from tests.contract.healos.documents import docx, image, of, pdf, upload
from tests.contract.healos.patients import PATIENTS, create

pytestmark = pytest.mark.django_db
NOT_VALID = {"error": "This link is not valid, or no longer. Ask for the document again to get another"}
ABSENT = {"error": "Document not found"}


@pytest.fixture
def patient(api: Client) -> dict[str, Any]:
    return create(api)


def kept(api: Client, patient: dict[str, Any], content: bytes = b"", **fields: Any) -> tuple[dict[str, Any], str]:
    """The document, and path and query of its link."""
    answer = upload(api, of(patient), content, **fields)
    assert answer.status_code == 201, answer.content
    data: dict[str, Any] = answer.json()["data"]
    return data, local(data["public_url"])


def local(url: str) -> str:
    assert url.startswith(f"{django_settings.HELIOS_PUBLIC_BASE_URL}/documents/")
    return url.removeprefix(django_settings.HELIOS_PUBLIC_BASE_URL)


def test_healos_87_a_link_needs_no_key_while_it_lasts(api: Client, patient: dict[str, Any]) -> None:
    content = pdf(javascript="app.alert('x')")
    document, link = kept(api, patient, content, name="Befund März.pdf")
    answer = Client().get(link)
    assert (answer.status_code, content_of(answer)) == (200, content)
    headers = {
        "Content-Type": "application/pdf",
        "Content-Length": str(len(content)),
        "Content-Disposition": "attachment; filename*=utf-8''Befund%20M%C3%A4rz.pdf",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    assert {name: answer[name] for name in headers} == headers
    head = Client().head(link)
    assert (head.status_code, content_of(head)) == (200, b"")
    assert {name: head[name] for name in headers} == headers
    events = AuditEvent.objects.filter(action="document.downloaded", object_id=document["id"])
    assert [(event.actor_type, event.method, event.path) for event in events.order_by("id")] == [
        ("system", method, urlsplit(link).path) for method in ("GET", "HEAD")
    ]
    with time_machine.travel(timezone.now() + timedelta(seconds=3601), tick=False):
        gone = Client().get(link)
        assert (gone.status_code, gone.json()) == (403, NOT_VALID)
        fresh = api.get(of(patient)).json()["data"][0]["public_url"]
        assert content_of(Client().get(local(fresh))) == content, "each reply has a new one"


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [
        (image("JPEG"), 'a "b".jpeg', "image/jpeg"),
        (image("PNG"), "a.png", "image/png"),
        (docx(), "a", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ],
    ids=["jpeg", "png", "docx"],
)
def test_healos_87_a_file_is_served_as_what_it_is(
    api: Client, patient: dict[str, Any], content: bytes, name: str, media_type: str
) -> None:
    _, link = kept(api, patient, content, name=name)
    answer = Client().get(link)
    assert (answer["Content-Type"], content_of(answer)) == (media_type, content)
    assert answer["Content-Disposition"].startswith("attachment; filename=")


def test_healos_87_a_link_cannot_be_guessed_and_tells_nothing(api: Client, patient: dict[str, Any]) -> None:
    document, link = kept(api, patient)
    path, _, query = link.partition("?")
    expires, signature = (part.partition("=")[2] for part in query.split("&"))
    wrong = [
        path,
        f"{path}?expires={expires}",
        f"{path}?expires={int(expires) + 1}&signature={signature}",
        f"{path}?expires={expires}&signature={signature[:-1]}",
        f"{path}?expires={expires}&signature=%ED%A0%80",
        f"{path}?expires=%D9%A1&signature={signature}",
        f"/documents/{uuid4()}?{query}",
        f"/documents/{document['id'].upper()}?{query}",
        f"/documents/x?{query}",
    ]
    for altered in wrong:
        answer = Client().get(altered)
        assert (answer.status_code, answer.json()) == (403, NOT_VALID), altered
    assert not AuditEvent.objects.filter(action="document.downloaded").exists()
    answer = Client(enforce_csrf_checks=True).post(link)
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")


def test_healos_87_a_link_is_dead_once_the_document_may_not_be_had(
    api: Client, patient: dict[str, Any], organization: Organization
) -> None:
    document, link = kept(api, patient)
    path = f"{of(patient)}/{document['id']}"

    def status() -> int:
        answer = Client().get(link)
        assert answer.status_code == 200 or answer.json() == ABSENT
        content_of(answer)
        return answer.status_code

    send(api, "DELETE", path)
    assert status() == 404
    send(api, "POST", f"{path}/restore")
    assert status() == 200
    send(api, "DELETE", f"{PATIENTS}/{patient['id']}")
    assert status() == 404
    send(api, "POST", f"{PATIENTS}/{patient['id']}/restore")
    assert status() == 200
    Organization.objects.filter(id=organization.id).update(is_active=False)
    assert status() == 404
    Organization.objects.filter(id=organization.id).update(is_active=True)
    object_store().delete(Document.objects.get().storage_key)
    assert status() == 404
    Document.objects.update(status="failed", check_due_at=None)
    assert status() == 404
    assert Client().get(local(public_url(uuid4()))).json() == ABSENT


def test_healos_84_meta_can_be_left_out(api: Client, patient: dict[str, Any], settings: Any) -> None:
    settings.HEALOS_DOCUMENT_LIST_META = False
    assert api.get(of(patient)).json() == {"data": []}
