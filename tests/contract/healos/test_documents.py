"""`/ext-api/v1/patients/{id}/documents`: the contract's lines 78 to 87, and 105 to 107 for documents."""

from __future__ import annotations

import io
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from apps.accounts.models import AuditEvent
from apps.patients.models import Document
from helios_site.storage import object_store
from tests.contract.healos.calls import INVALID, send
from tests.contract.healos.documents import archive, docx, far_away, form, image, of, patched, pdf, send_form, upload
from tests.contract.healos.patients import PATIENTS, create

pytestmark = pytest.mark.django_db
ABSENT = b'{"error":"Document not found"}'
NO_PATIENT = b'{"error":"Patient not found"}'
LIMIT = 10 * 2**20


def stored() -> list[str]:
    return list(object_store().keys_before(timezone.now() + timedelta(minutes=1)))


def spooled() -> list[Path]:
    """Writes that were begun and not ended."""
    return list((Path(django_settings.HELIOS_RECORDINGS_DIR) / "incoming").glob("*"))


@pytest.fixture(autouse=True)
def _nothing_stored() -> None:
    for key in stored():
        object_store().delete(key)


@pytest.fixture
def patient(api: Client) -> dict[str, Any]:
    return create(api)


def uploaded(client: Client, patient: dict[str, Any], content: bytes = b"", **fields: Any) -> dict[str, Any]:
    answer = upload(client, of(patient), content, **fields)
    assert answer.status_code == 201, answer.content
    data: dict[str, Any] = answer.json()["data"]
    return data


def send_stream(client: Client, path: str, body: Any, length: int, **options: Any) -> Any:
    """A form of which `length` bytes are announced, whatever comes."""
    sent = {"CONTENT_LENGTH": str(length), "CONTENT_TYPE": "multipart/form-data; boundary=line", "wsgi.input": body}
    return client.generic("POST", path, **options, **sent)


def refused(answer: Any, **details: str) -> None:
    """The reply names these fields and no other, and nothing is left of the upload."""
    assert (answer.status_code, answer.json()) == (
        400,
        {"error": INVALID, "details": {name: [message] for name, message in details.items()}},
    )
    assert not Document.objects.exists()
    assert (stored(), spooled()) == ([], [])


def test_healos_78_a_document_is_kept_and_told_of(api: Client, patient: dict[str, Any]) -> None:
    content = pdf()
    answer = upload(api, of(patient), content, "Befund März.pdf")
    assert answer.status_code == 201
    assert set(answer.json()) == {"data", "message"}
    assert answer.json()["message"] == "Document uploaded successfully"
    assert answer["ETag"] == '"1"'
    data = answer.json()["data"]
    document = Document.objects.get()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", data.pop("upload_date"))
    assert data.pop("public_url").startswith(f"{django_settings.HELIOS_PUBLIC_BASE_URL}/documents/{document.id}?")
    assert data == {
        "id": str(document.id),
        "filename": "Befund März.pdf",
        "file_type": "pdf",
        "file_size": len(content),
        "status": "pending",
        "external_id": None,
    }
    assert stored() == [document.storage_key]
    assert document.storage_key.startswith(f"{document.organization_id}/documents/{document.id}/")
    with object_store().local_path(document.storage_key) as path:
        assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "name", "file_type"),
    [
        (image("JPEG"), "a.jpg", "jpg"),
        (image("JPEG"), "a.JPEG", "jpeg"),
        (image("PNG"), "a.png", "png"),
        (image("PNG"), "a.jpg", "png"),
        (docx(), "a.docx", "docx"),
        (pdf(), "a", "pdf"),
    ],
)
def test_healos_79_four_kinds_are_taken_by_their_content(
    api: Client, patient: dict[str, Any], content: bytes, name: str, file_type: str
) -> None:
    data = uploaded(api, patient, content, name=name)
    assert (data["file_type"], data["file_size"], data["filename"]) == (file_type, len(content), name)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"GIF89a" + bytes(100), "a.gif"),
        (b"MZ" + bytes(100), "a.exe"),
        (b"some text of more than eight bytes", "a.txt"),
        (b"text", "a.pdf"),
        (image("PNG"), "a.pdf"),
        (archive({"a": b""}), "a.docx"),
        (docx(**{"word/vbaProject.bin": b"x"}), "a.docx"),
        (docx(**{"word/zeros.bin": bytes(8 << 20)}), "a.docx"),
        (docx().replace(b"[Content", b"[Kontent", 1), "a.docx"),  # only where the part begins
        (docx().replace(b"[Content", b"[Con\xfft", 1), "a.docx"),
        (patched(), "a.docx"),
        (far_away(), "a.docx"),
    ],
)
def test_healos_79_another_kind_is_refused(api: Client, patient: dict[str, Any], content: bytes, name: str) -> None:
    answer = upload(api, of(patient), content, name)
    assert list(answer.json()["details"]) == ["file"]
    refused(answer, file=answer.json()["details"]["file"][0])


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("../../a/scan.pdf", "scan.pdf"), ("C:\\\\scan\x01.pdf", "scan.pdf"), ("..", "document"),
     ("\u202efdp.exe", "fdp.exe"), ("a&amp;b.pdf", "a&amp;b.pdf")],
)  # fmt: skip
def test_healos_78_a_name_is_kept_without_path_and_what_does_not_show(
    api: Client, patient: dict[str, Any], sent: str, kept: str
) -> None:
    answer = send_form(api, of(patient), form(("file", sent, pdf())))
    assert (answer.status_code, answer.json()["data"]["filename"]) == (201, kept)


def test_healos_80_ten_megabytes_are_taken_and_no_byte_more(api: Client, patient: dict[str, Any]) -> None:
    content = pdf()
    assert uploaded(api, patient, content + bytes(LIMIT - len(content)))["file_size"] == LIMIT
    document = Document.objects.get()
    object_store().delete(document.storage_key)
    document.delete()
    answer = upload(api, of(patient), content + bytes(LIMIT + 1 - len(content)))
    refused(answer, file="The file is too large: at most 10485760 bytes are accepted.")


class Endless(io.BytesIO):
    """A body of zeros that counts what is taken of it."""

    def __init__(self, head: bytes = b"") -> None:
        super().__init__()
        self.head, self.taken = head, 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert size >= 0, "asked for all of it"
        self.taken += size
        piece, self.head = self.head[:size], self.head[size:]
        return piece + bytes(size - len(piece))


@pytest.mark.parametrize("key", ["", "k1"])
def test_healos_80_a_gigabyte_is_refused_after_a_part_of_it(api: Client, patient: dict[str, Any], key: str) -> None:
    body = Endless(form(("file", "a.pdf", pdf()))[:-12])
    answer = send_stream(api, of(patient), body, 10**9, headers={"idempotency-key": key} if key else {})
    refused(answer, file="The file is too large: at most 10485760 bytes are accepted.")
    assert body.taken <= LIMIT


def test_healos_81_a_form_without_a_file_says_so(api: Client, patient: dict[str, Any]) -> None:
    refused(api.post(of(patient), {"external_id": "E"}), file="Required")
    refused(send_form(api, of(patient), form(("file", None, b"text"))), file="Expected file, received string")
    refused(send_form(api, of(patient), form(("file", "", b""))), file="Required")
    answer = send_form(api, of(patient), form(("file", "a.pdf", b"")))
    refused(answer, file="The file is empty.")


def test_healos_82_an_external_id_is_taken_once(api: Client, other_api: Client, patient: dict[str, Any]) -> None:
    first = uploaded(api, patient, external_id="DOC-1")
    assert first["external_id"] == "DOC-1"
    answer = upload(api, of(create(api)), external_id="DOC-1")
    existing = answer.json()["data"]
    assert (answer.status_code, answer.json()["error"]) == (409, "external_id already exists")
    assert {**existing, "public_url": ""} == {**first, "public_url": ""}
    assert len(stored()) == 1, "the second is not kept"
    assert uploaded(other_api, create(other_api), external_id="DOC-1")["id"] != first["id"]
    send(api, "DELETE", f"{of(patient)}/{first['id']}")
    assert uploaded(api, patient, external_id="DOC-1")["id"] != first["id"]


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"external_id": ""}, {"external_id": "String must contain at least 1 character(s)"}),
        ({"external_id": "x" * 256}, {"external_id": "String must contain at most 255 character(s)"}),
        ({"external_id": "a\x00b"}, {"external_id": "String must not contain NUL or lone surrogates"}),
        ({"external_id": ["a", "b"]}, {"external_id": "Expected one value, received more"}),
        ({"title": "x"}, {"title": "Unrecognized key(s) in object: 'title'"}),
        ({"csrfmiddlewaretoken": "x"}, {"csrfmiddlewaretoken": "Unrecognized key(s) in object: 'csrfmiddlewaretoken'"}),
    ],
)
def test_healos_82_a_field_that_is_refused_is_named(
    api: Client, patient: dict[str, Any], fields: dict[str, Any], details: dict[str, str]
) -> None:
    refused(upload(api, of(patient), **fields), **details)
    garbled = form(*[(name, None, b"a\xff") for name in fields], ("file", "scan.pdf", pdf()))
    refused(send_form(api, of(patient), garbled), **dict.fromkeys(fields, "String must be UTF-8"))


def test_healos_83_a_patient_in_the_form_is_that_of_the_path(api: Client, patient: dict[str, Any]) -> None:
    wrong = f'Invalid literal value, expected "{patient["id"]}"'
    refused(upload(api, of(patient), patient_id=create(api)["id"]), patient_id=wrong)
    assert uploaded(api, patient, patient_id=patient["id"])


def test_healos_81_a_second_file_and_one_of_another_name_are_refused(api: Client, patient: dict[str, Any]) -> None:
    two = form(("file", "a.pdf", pdf()), ("file", "b.pdf", pdf()))
    refused(send_form(api, of(patient), two), file="Expected one file, received more")
    refused(
        send_form(api, of(patient), form(("photo", "a.pdf", pdf()))), photo="Unrecognized key(s) in object: 'photo'"
    )


@pytest.mark.parametrize(
    ("content_type", "body", "error"),
    [
        ("application/json", b"{}", "Content-Type must be multipart/form-data"),
        ("multipart/form-data", form(("file", "a.pdf", pdf())), "Invalid multipart body"),
        ("multipart/form-data; boundary=other", form(("file", "a.pdf", pdf())), "Invalid multipart body"),
        ("multipart/form-data; boundary=line", form(("file", "a.pdf", pdf()))[:-20], "Invalid multipart body"),
        ("multipart/form-data; boundary=line", b"\x00" * 1000, "Invalid multipart body"),
        ("multipart/form-data; boundary=line; charset=rot13", form(("file", "a.pdf", pdf())), "Invalid multipart body"),
        ("multipart/form-data; boundary=line; charset=idna", form(("file", "a.pdf", pdf())), "Invalid multipart body"),
        ("multipart/form-data; boundary=line",
         form(*[(f"f{number}", None, b"") for number in range(1100)], ("file", "a.pdf", pdf())),
         "Invalid multipart body"),
    ],
)  # fmt: skip
def test_healos_96_a_body_that_is_no_whole_form_is_refused(
    api: Client, patient: dict[str, Any], content_type: str, body: bytes, error: str
) -> None:
    answer = send_form(api, of(patient), body, content_type)
    assert (answer.status_code, answer.json()) == (400, {"error": error})
    assert (Document.objects.count(), stored(), spooled()) == (0, [], [])


def test_healos_81_an_upload_that_ends_early_leaves_nothing(api: Client, patient: dict[str, Any]) -> None:
    body = form(("file", "a.pdf", pdf() + bytes(1 << 20)))
    answer = send_stream(api, of(patient), io.BytesIO(body[:-300_000]), len(body))
    assert (answer.status_code, answer.json()) == (400, {"error": "Invalid multipart body"})
    assert (Document.objects.count(), stored(), spooled()) == (0, [], [])


def test_healos_84_a_list_is_of_one_patient(api: Client, patient: dict[str, Any]) -> None:
    other = create(api)
    uploaded(api, other, external_id="OTHER")
    first, second = uploaded(api, patient, external_id="A"), uploaded(api, patient, image("PNG"), name="b.png")
    answer = api.get(of(patient))
    assert answer.json()["meta"] == {"page": 1, "limit": 20, "total_pages": 1}
    assert [set(item) for item in answer.json()["data"]] == [
        {"id", "filename", "file_size", "public_url", "upload_date", "external_id"}
    ] * 2

    def ids(**query: Any) -> list[str]:
        return [item["id"] for item in api.get(of(patient), query).json()["data"]]

    assert ids() == [second["id"], first["id"]]
    assert ids(external_id="A") == ids(file_type="pdf") == [first["id"]]
    assert ids(external_id="OTHER") == ids(page=2) == ids(file_type="docx") == []
    assert ids(page=2, limit=1) == [first["id"]]
    for query, name in (({"file_type": "PDF"}, "file_type"), ({"include": "all"}, "include"), ({"page": "0"}, "page")):
        assert list(api.get(of(patient), query).json()["details"]) == [name]


def test_healos_84_a_list_shows_how_checks_ended_if_asked_to(api: Client, patient: dict[str, Any]) -> None:
    uploaded(api, patient)
    shown = api.get(of(patient), {"include": "status"}).json()["data"][0]
    assert (shown["status"], shown["status_reason"]) == ("pending", None)


def test_healos_85_another_organisations_patient_is_absent(api: Client, other_api: Client) -> None:
    theirs = create(other_api)
    for path in (of(theirs), of({"id": "17"}), of({"id": "abc"})):
        for answer in (api.get(path), upload(api, path), send_form(api, path, b"x"), send(api, "DELETE", f"{path}/x")):
            assert (answer.status_code, answer.content) == (404, NO_PATIENT)
    assert stored() == []


def test_healos_86_a_deleted_document_is_gone(api: Client, other_api: Client, patient: dict[str, Any]) -> None:
    document = uploaded(api, patient)
    path = f"{of(patient)}/{document['id']}"
    for absent in (f"{of(create(api))}/{document['id']}", f"{of(patient)}/{uuid4()}", f"{of(patient)}/abc"):
        for answer in (send(api, "DELETE", absent), send(api, "POST", f"{absent}/restore")):
            assert (answer.status_code, answer.content) == (404, ABSENT)
    assert send(other_api, "DELETE", path).content == NO_PATIENT
    answer = send(api, "DELETE", path)
    assert (answer.status_code, answer.json()) == (200, {"data": {"id": document["id"]}, "message": "Document deleted"})
    assert api.get(of(patient)).json()["data"] == []
    assert send(api, "DELETE", path).status_code == 404
    assert api.get(path).status_code == 405


def test_healos_105_if_match_deletes_only_the_version_that_it_names(api: Client, patient: dict[str, Any]) -> None:
    path = f"{of(patient)}/{uploaded(api, patient)['id']}"
    answer = send(api, "DELETE", path, headers={"if-match": '"2"'})
    assert (answer.status_code, answer.json()) == (412, {"error": "Version conflict"})
    assert send(api, "DELETE", path, headers={"if-match": '"1"'}).status_code == 200


@pytest.mark.parametrize("size", [0, 2 << 20])
def test_healos_106_an_upload_that_is_sent_again_is_done_once(api: Client, patient: dict[str, Any], size: int) -> None:
    body = form(("file", "a.pdf", pdf() + bytes(size)), ("external_id", None, b"E"))

    def sent(body: bytes) -> Any:
        return api.generic(
            "POST", of(patient), body, content_type="multipart/form-data; boundary=line",
            headers={"idempotency-key": "one"},
        )  # fmt: skip

    first, again = sent(body), sent(body)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert (again["Idempotent-Replayed"], again["ETag"]) == ("true", '"1"')
    assert sent(body.replace(b"E\r\n", b"F\r\n")).status_code == 422
    assert (Document.objects.count(), len(stored())) == (1, 1)


def test_healos_107_a_deleted_document_can_be_restored(api: Client, patient: dict[str, Any]) -> None:
    document = uploaded(api, patient, external_id="E")
    path = f"{of(patient)}/{document['id']}"
    send(api, "DELETE", path)
    answer = send(api, "POST", f"{path}/restore")
    assert {**answer.json()["data"], "public_url": ""} == {**document, "public_url": ""}
    assert set(answer.json()) == {"data"}
    send(api, "DELETE", path)
    later = uploaded(api, patient, external_id="E")
    answer = send(api, "POST", f"{path}/restore")
    assert (answer.status_code, answer.json()["data"]["id"]) == (409, later["id"])
    Document.objects.filter(id=document["id"]).update(deleted_at=timezone.now() - timedelta(days=31))
    assert send(api, "POST", f"{path}/restore").status_code == 404


def test_healos_107_documents_go_and_come_back_with_their_patient(api: Client, patient: dict[str, Any]) -> None:
    document, deleted = uploaded(api, patient), uploaded(api, patient)
    send(api, "DELETE", f"{of(patient)}/{deleted['id']}")
    send(api, "DELETE", f"{PATIENTS}/{patient['id']}")
    assert send(api, "POST", f"{of(patient)}/{document['id']}/restore").content == NO_PATIENT
    send(api, "POST", f"{PATIENTS}/{patient['id']}/restore")
    assert [item["id"] for item in api.get(of(patient)).json()["data"]] == [document["id"]]


def test_every_call_is_on_the_record_and_never_what_it_was_about(api: Client, patient: dict[str, Any]) -> None:
    document = uploaded(api, patient, name="canary.pdf")
    path = f"{of(patient)}/{document['id']}"
    api.get(of(patient))
    send(api, "DELETE", path)
    send(api, "POST", f"{path}/restore")
    events = AuditEvent.objects.filter(object_type="document").order_by("id")
    assert [(event.action, event.object_id, event.reason) for event in events] == [
        ("document.created", document["id"], ""),
        ("document.listed", "", f"of patient {patient['id']}"),
        ("document.deleted", document["id"], ""),
        ("document.restored", document["id"], ""),
    ]
    assert "canary" not in str(list(events.values()))


def test_a_full_disk_is_told_and_the_upload_works_afterwards(
    api: Client, patient: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_full(path: Path, mode: str, **options: Any) -> Any:
        file = open(path, mode, **options)  # noqa: SIM115
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, file.fileno())
        os.close(full)
        return file

    with monkeypatch.context() as patch:
        patch.setattr("helios_site.storage.local.open", open_full, raising=False)
        answer = upload(api, of(patient), pdf() + bytes(2 << 20))
    assert (answer.status_code, answer.json()) == (507, {"error": "Insufficient storage. Please try again later"})
    assert (Document.objects.count(), stored(), spooled()) == (0, [], [])
    assert uploaded(api, patient)
