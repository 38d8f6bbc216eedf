"""A patient's documents in the console: the list, uploads, downloads, and what becomes of their checks."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.patients.documents import services
from apps.patients.documents.checking import check_due
from apps.patients.models import Document, Patient
from helios_site.storage import StorageFull
from tests.contract.healos.calls import content_of
from tests.contract.healos.documents import docx, form, image, pdf, send_form, upload
from tests.contract.healos.notes import make_patient
from tests.model_runs.test_full_disk import refusing
from tests.pages import page_text
from tests.patients.pages.reading import forms_of, recorded, text_of

pytestmark = pytest.mark.django_db


def path_of(patient: Patient, *parts: object) -> str:
    return "/".join(map(str, (f"/patients/{patient.pk}/documents", *parts)))


def add(client: Client, patient: Patient, content: bytes = b"", name: str = "scan.pdf") -> Document:
    """A document that the page's form uploaded."""
    answer = upload(client, path_of(patient), content, name)
    assert (answer.status_code, answer["Location"]) == (302, path_of(patient))
    return Document.objects.latest("created_at", "id")


def test_an_upload_is_checked_and_downloaded(member: Client, maria: Patient) -> None:
    assert "None yet. Upload the first one above" in text_of(member.get(path_of(maria)))
    document = add(member, maria, image(), "x-ray.png")
    page = member.get(path_of(maria))
    assert "x-ray.png is uploaded." in text_of(page)
    assert "Being checked" in text_of(page)
    assert f'data-run="{document.pk}" data-name="x-ray.png"' in page.content.decode()
    assert "run-status.js" in page.content.decode()
    status = f"{path_of(maria)}/status?id={document.pk}&id={uuid4()}&id=x"
    assert member.get(status).json() == {str(document.pk): {"status": "pending", "words": "Being checked"}}
    check_due()
    page = member.get(path_of(maria))
    assert "run-status.js" not in page.content.decode()
    assert re.search(r"x-ray.png .* Ready Download x-ray.png Delete", text_of(page))
    link = member.get(path_of(maria, document.pk, "file"))
    assert link.status_code == 302
    file = Client().get(link["Location"])
    assert (content_of(file), file["Content-Disposition"]) == (image(), 'attachment; filename="x-ray.png"')
    assert recorded() == [
        ("document.listed", "", "user"),
        ("document.created", str(document.pk), "user"),
        ("document.listed", "", "user"),
        ("document.ready", str(document.pk), "system"),
        ("document.listed", "", "user"),
        ("document.opened", str(document.pk), "user"),
        ("document.downloaded", str(document.pk), "system"),
    ]


def test_a_document_that_fails_its_check_says_why(member: Client, maria: Patient) -> None:
    document = add(member, maria, pdf(password="secret"), "locked.pdf")
    check_due()
    page = member.get(path_of(maria))
    assert "Refused: The file is protected with a password. Send it without." in text_of(page)
    assert path_of(maria, document.pk, "file") not in page.content.decode()
    assert member.get(path_of(maria, document.pk, "file")).status_code == 404
    assert "document.opened" not in {action for action, _, _ in recorded()}
    words = member.get(f"{path_of(maria)}/status?id={document.pk}").json()[str(document.pk)]
    assert words == {
        "status": "failed", "words": "Refused: The file is protected with a password. Send it without.",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("notes.txt", b"plain text", "Only PDF, JPEG, PNG and DOCX files are accepted"),
        ("scan.pdf", image(), "The name ends in .pdf, but the content is no PDF."),
        ("letter.docx", docx(**{"word/vbaProject.bin": b"x"}), "The document holds macros. Send it without."),
        ("empty.pdf", b"\0", "Only PDF"),
    ],
)
def test_what_is_refused_is_said_in_words(member: Client, maria: Patient, name: str, content: bytes, said: str) -> None:
    answer = upload(member, path_of(maria), content, name)
    assert text_of(answer, 400).count(said) == 2, "in the box, and at the field"
    assert 'aria-invalid="true"' in answer.content.decode()
    assert not Document.objects.exists()


def test_a_form_without_a_file_one_too_large_and_one_cut_off(
    member: Client, maria: Patient, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Choose a file." in text_of(member.post(path_of(maria), {"csrfmiddlewaretoken": "x"}), 400)
    assert "did not arrive whole" in text_of(member.post(path_of(maria), {}, content_type="text/plain"), 400)
    cut = form(("file", "scan.pdf", pdf()))[:-9]
    assert "did not arrive whole" in text_of(send_form(member, path_of(maria), cut), 400)
    settings.HEALOS_DOCUMENT_MAX_BYTES = 1000
    assert "too large: at most 1000 bytes are" in text_of(upload(member, path_of(maria), b"%PDF-" + b"x" * 2000), 400)
    long = upload(member, path_of(maria), b"%PDF-" + b"x" * 200_000)
    assert "too large: at most 1000 bytes are" in text_of(long, 400)

    settings.HEALOS_DOCUMENT_MAX_BYTES = 100_000
    with refusing("patients_document"):
        assert "Tell your operator that the storage is full" in text_of(upload(member, path_of(maria)), 507)

    def full(**given: Any) -> None:
        raise StorageFull

    monkeypatch.setattr(services, "_store", lambda *given: full())
    assert "Tell your operator that the storage is full" in text_of(upload(member, path_of(maria)), 507)
    assert not Document.objects.exists()


def test_an_upload_needs_the_token_of_the_page(member: Client, maria: Patient) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.cookies = member.cookies
    assert upload(careful, path_of(maria)).status_code == 403
    assert not Document.objects.exists()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', careful.get(path_of(maria)).content.decode())
    assert token
    file = SimpleUploadedFile("scan.pdf", pdf())
    answer = careful.post(path_of(maria), {"csrfmiddlewaretoken": token[1], "file": file})
    assert (answer.status_code, Document.objects.count()) == (302, 1)


def test_a_document_is_deleted_and_restored(member: Client, maria: Patient) -> None:
    document = add(member, maria)
    forms = forms_of(member.get(path_of(maria)))
    assert forms == [path_of(maria), path_of(maria, document.pk, "delete")]
    listed = member.post(forms[1], follow=True)
    assert "Deleted. For 30 days you can restore it below. " in text_of(listed)
    assert member.get(path_of(maria, document.pk, "file")).status_code == 404
    assert member.post(forms[1]).status_code == 404
    restore = forms_of(listed)[1]
    assert "Restored." in text_of(member.post(restore, follow=True))
    assert member.post(restore).status_code == 404, "there is nothing to restore any more"
    assert [action for action, _, _ in recorded() if action not in ("document.listed", "document.created")] == [
        "document.deleted",
        "document.restored",
    ]


def test_sixty_cost_no_more_than_one_and_come_in_pages(member: Client, maria: Patient) -> None:
    add(member, maria)
    member.get(path_of(maria))  # says that it is uploaded
    with CaptureQueriesContext(connection) as few:
        member.get(path_of(maria))
    Document.objects.bulk_create(
        Document(
            organization=maria.organization, patient=maria, filename=f"number-{number}.pdf", file_type="pdf",
            file_size=1000, sha256="0" * 64, storage_key=f"key-{number}", status="ready",
        )
        for number in range(60)
    )  # fmt: skip
    with CaptureQueriesContext(connection) as many:
        html = member.get(path_of(maria)).content.decode()
    assert len(many) == len(few) == 8
    assert len(set(re.findall(r"number-\d+", html))) == 50
    [older] = re.findall(r'href="(\?before=[^"]+)"', html)
    rest = member.get(path_of(maria) + older).content.decode()
    assert len(set(re.findall(r"number-\d+", html + rest))) == 60
    assert len(html) < 100_000


def test_however_many_were_deleted_each_can_be_restored(member: Client, maria: Patient) -> None:
    assert "Deleted in the last" not in text_of(member.get(path_of(maria)))
    now = timezone.now().replace(microsecond=0)
    Document.objects.bulk_create(
        Document(
            organization=maria.organization, patient=maria, filename=f"<b>{number}.pdf", file_type="pdf", file_size=1,
            sha256="0" * 64, storage_key=f"key-{number}", status="ready",
            deleted_at=now - timedelta(seconds=number // 3),
        )
        for number in range(45)
    )  # fmt: skip
    page, offered = path_of(maria), []
    for _ in range(3):
        html = member.get(page).content.decode()
        offered += re.findall(r'action="[^"]*/([^"/]+)/restore"', html)
        [onward] = re.findall(r'href="(\?deleted=[^"]+)#deleted" rel="next"', html) or [""]
        page = path_of(maria) + onward
    assert "&lt;b&gt;44.pdf</bdi>" in html
    assert "<b>" not in html
    gone = Document.objects.order_by("-deleted_at", "id")
    assert (onward, offered) == ("", [str(pk) for pk in gone.values_list("id", flat=True)])
    assert member.get(path_of(maria) + "?deleted=x").status_code == 404


def test_of_others_there_is_nothing(member: Client, stranger: Client, maria: Patient) -> None:
    document, ben = add(member, maria), make_patient(maria.organization, "Ben")
    unknown = stranger.get(f"/patients/1/documents/{uuid4()}/file")
    for path in (path_of(maria), path_of(maria, document.pk, "file")):
        assert (stranger.get(path).status_code, page_text(stranger.get(path))) == (404, page_text(unknown))
        assert Client().get(path).status_code == 302
    assert stranger.get(f"{path_of(maria)}/status?id={document.pk}").json() == {}
    assert upload(stranger, path_of(maria)).status_code == 404
    assert member.get(path_of(ben, document.pk, "file")).status_code == 404
    assert member.get(path_of(maria) + "?before=x").status_code == 404
    for client, patient in ((stranger, maria), (member, ben)):
        for verb in ("delete", "restore"):
            assert client.post(path_of(patient, document.pk, verb)).status_code == 404
    assert Document.objects.of(maria.organization_id).count() == 1
    services.delete_document(
        actor=SYSTEM, organization_id=maria.organization_id, patient_id=maria.pk, document_id=document.pk
    )
    assert stranger.post(path_of(maria, document.pk, "restore")).status_code == 404
