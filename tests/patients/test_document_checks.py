"""Documents are checked once, whatever becomes of the workers, and their objects stay as long as a row names them."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from apps.accounts.models import AuditEvent
from apps.model_runs.services import remove_leftovers
from apps.model_runs.services.housekeeping import LEFTOVER_AGE
from apps.patients.documents import checking
from apps.patients.documents.inspection.confined import CannotCheck
from apps.patients.models import Document
from apps.patients.tasks import check_due_documents
from apps.webhooks.models import WebhookDelivery
from helios_site.storage import object_store
from helios_site.storage.local import LocalStorage
from tests.contract.healos.calls import send
from tests.contract.healos.documents import of, pdf, relating, upload
from tests.contract.healos.patients import create

pytestmark = pytest.mark.django_db
EXTERNAL = b'<Relationship Type="http://x/attachedTemplate" Target="http://x/a.dotm" TargetMode="External"/>'

Keep = Callable[..., Document]


@pytest.fixture
def keep(api: Client) -> Keep:
    """`keep(content, name=…)` → the row of a new document of a new patient."""

    def kept(content: bytes = b"", **fields: Any) -> Document:
        answer = upload(api, of(create(api)), content or pdf(), **fields)
        return Document.objects.get(id=answer.json()["data"]["id"])

    return kept


@pytest.fixture
def sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """No child is started, which costs time: what is checked is sound."""
    monkeypatch.setattr(checking, "fault_of", lambda path, file_type: None)


def webhook(api: Client) -> None:
    body = {"url": "https://93.184.216.34/hook", "events": ["document.ready", "document.failed"]}
    assert api.post("/v1/webhooks", body, content_type="application/json").status_code == 200


def test_the_task_checks_what_is_due_and_tells_of_it_once(api: Client, keep: Keep) -> None:
    webhook(api)
    good, bad = keep(), keep(relating(EXTERNAL), name="canary.docx")
    check_due_documents()
    check_due_documents()
    good.refresh_from_db()
    bad.refresh_from_db()
    reason = "The document loads something from elsewhere. Only hyperlinks may lead out of it."
    assert (good.status, good.status_reason, good.check_due_at, good.version) == ("ready", "", None, 1)
    assert (bad.status, bad.status_reason, bad.check_due_at, bad.check_tries) == ("failed", reason, None, 1)
    events = AuditEvent.objects.filter(action__in=["document.ready", "document.failed"]).order_by("id")
    assert [(event.action, event.object_id, event.actor_type, event.reason) for event in events] == [
        ("document.ready", str(good.id), "system", ""),
        ("document.failed", str(bad.id), "system", reason),
    ]
    told = WebhookDelivery.objects.order_by("created_at")
    assert [(one.event, one.object_id) for one in told] == [("document.ready", good.id), ("document.failed", bad.id)]
    assert "canary" not in "".join(one.body for one in told)
    shown = api.get(of({"id": bad.patient_id}), {"include": "status"}).json()["data"][0]
    assert (shown["status"], shown["status_reason"]) == ("failed", reason)
    assert Client().get(shown["public_url"]).status_code == 404


def test_a_document_whose_worker_died_is_taken_again_later_and_later(keep: Keep, sound: None) -> None:
    document = keep()
    gaps = []
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for number in range(1, checking.MAX_TRIES + 1):
            claim = checking.claim_document()
            assert claim is not None
            assert claim.number == number
            assert checking.claim_document() is None, "nobody else gets it meanwhile"
            document.refresh_from_db()
            assert document.check_due_at is not None
            gaps.append((document.check_due_at - timezone.now()).total_seconds())
            clock.move_to(document.check_due_at)
        assert gaps == [90, 180, 360, 720, 1440]
        assert not checking.check_due(), "that was the last try"
    document.refresh_from_db()
    assert (document.status, document.status_reason) == ("failed", checking.GIVEN_UP)


def test_a_try_that_comes_late_ends_nothing(keep: Keep) -> None:
    document = keep()
    late = checking.claim_document()
    assert late is not None
    Document.objects.update(check_due_at=timezone.now())
    second = checking.claim_document()
    assert second is not None
    assert not checking.finish_check(claim=late, reason="late")
    assert checking.finish_check(claim=second, reason="")
    assert not checking.finish_check(claim=second, reason="again")
    document.refresh_from_db()
    assert (document.status, document.check_tries) == ("ready", 2)
    assert AuditEvent.objects.filter(action__in=["document.ready", "document.failed"]).count() == 1


def test_what_is_not_the_files_fault_leaves_it_due(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: object, file_type: str) -> None:
        raise CannotCheck

    document = keep()
    monkeypatch.setattr(checking, "fault_of", broken)
    assert not checking.check_due()
    document.refresh_from_db()
    assert (document.status, document.check_tries) == ("pending", 1)
    Document.objects.update(check_due_at=timezone.now())
    object_store().delete(document.storage_key)
    assert not checking.check_due()
    document.refresh_from_db()
    assert (document.status, document.check_tries) == ("pending", 2)


def test_a_deleted_document_is_checked_once_it_is_restored(api: Client, keep: Keep, sound: None) -> None:
    document = keep()
    path = f"{of({'id': document.patient_id})}/{document.id}"
    claim = checking.claim_document()
    assert claim is not None
    send(api, "DELETE", path)
    assert not checking.finish_check(claim=claim, reason="")
    Document.objects.update(check_due_at=timezone.now())
    assert not checking.check_due()
    assert Document.objects.get().status == "pending"
    send(api, "POST", f"{path}/restore")
    checking.check_due()
    assert Document.objects.get().status == "ready"


def test_who_has_checked_for_long_rings_for_the_rest(keep: Keep, sound: None) -> None:
    keep(), keep()  # fmt: skip
    assert checking.check_due(busy_seconds=0)
    assert Document.objects.filter(status="pending").count() == 1


def test_only_objects_that_no_document_names_are_left_over(api: Client, keep: Keep) -> None:
    deleted = keep()
    send(api, "DELETE", f"{of({'id': deleted.patient_id})}/{deleted.id}")
    left = keep()
    Document.objects.filter(id=left.id).delete()
    old = (timezone.now() - LEFTOVER_AGE - timedelta(minutes=1)).timestamp()
    for document in (deleted, left):
        with object_store().local_path(document.storage_key) as path:
            os.utime(path, (old, old))
    assert remove_leftovers()["orphaned_objects"] == 1
    with object_store().local_path(deleted.storage_key) as path:
        assert path.read_bytes().startswith(b"%PDF-")
    with pytest.raises(FileNotFoundError), object_store().local_path(left.storage_key):
        pass


def test_the_statuses_are_those_of_the_settings(settings: Any) -> None:
    assert tuple(Document.Status.values) == settings.HEALOS_DOCUMENT_STATUSES


def test_tries_that_the_storage_failed_do_not_count(keep: Keep, sound: None, monkeypatch: pytest.MonkeyPatch) -> None:
    document, other = keep(), keep()

    def away(self: LocalStorage, key: str) -> Any:
        raise ConnectionError

    with monkeypatch.context() as patch, time_machine.travel(timezone.now(), tick=False) as clock:
        patch.setattr(LocalStorage, "local_path", away)
        for number in range(1, checking.MAX_TRIES + 4):
            Document.objects.filter(id=other.id).update(check_due_at=timezone.now() + timedelta(minutes=1))
            assert not checking.check_due(busy_seconds=0)
            document.refresh_from_db()
            assert (document.status, document.check_tries) == ("pending", number)
            gap = (document.check_due_at or timezone.now()) - timezone.now()
            assert gap == checking.FIRST_GAP * 2 ** min(number - 1, checking.MOST_DOUBLINGS)
            clock.move_to(document.check_due_at)
    Document.objects.update(check_due_at=timezone.now())
    checking.check_due()
    assert {one.status for one in Document.objects.all()} == {"ready"}
