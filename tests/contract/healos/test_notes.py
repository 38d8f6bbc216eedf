"""`/ext-api/v1/notes` and `/sessions/{id}/notes`: the contract's lines 13 and 88 to 91."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import AuditEvent, Organization, User
from apps.patients.models import Note, Session
from apps.patients.notes import selectors
from tests.conftest import MakeKey
from tests.contract.healos.calls import INVALID, send, with_key
from tests.contract.healos.notes import EXPORT, NOTES, SESSIONS, at, make_note, make_patient, make_session
from tests.contract.healos.patients import PATIENTS

pytestmark = pytest.mark.django_db
NO_NOTE, NO_SESSION = b'{"error":"Note not found"}', b'{"error":"Session not found"}'
TRANSCRIPT = {
    "text": "Good morning.",
    "summary": "",
    "title": "First visit",
    "status": "completed",
    "session_date": "2026-03-15",
    "start_time": "2026-03-15T09:30:00.000Z",
    "end_time": None,
}


@pytest.fixture
def session(organization: Organization) -> Session:
    history = {"family_history": "none known"}
    patient = make_patient(organization, first_name="Maria", date_of_birth=date(1990, 8, 24), client_history=history)
    return make_session(patient, start_time=at(15, 9, 30))


@pytest.fixture
def note(session: Session) -> Note:
    return make_note(session, created_at=at(15, 10), updated_at=at(16), problems=["insomnia"], icd10_codes={"G47": "x"})


def light(note: Note) -> dict[str, Any]:
    return {
        "id": str(note.id),
        "patient_id": str(note.patient_id),
        "session_id": str(note.session_id),
        "note_type": "clinical_visit",
        "specialty": None,
        "template_id": None,
        "template_name": None,
        "created_at": "2026-03-15T10:00:00.000Z",
        "updated_at": "2026-03-16T00:00:00.000Z",
    }


def whole(note: Note) -> dict[str, Any]:
    codes = {"icd10_codes": {"G47": "x"}, "cpt_codes": {}}
    return light(note) | {"content": "Slept well.", "problems": ["insomnia"], "procedures": [], **codes}


def person(note: Note) -> dict[str, Any]:
    empty = dict.fromkeys(("pronouns", "last_name", "gender", "email", "phone", "mrn"))
    history = {"medical_history": None, "family_history": "none known", "social_history": None}
    return empty | {
        "id": str(note.patient_id),
        "name": "Maria Santos",
        "first_name": "Maria",
        "date_of_birth": "1990-08-24",
        "client_history": history | {"previous_treatment": None},
    }


def listed(client: Client, **query: Any) -> list[str]:
    answer = client.get(NOTES, query)
    assert answer.status_code == 200, answer.content
    return [item["id"] for item in answer.json()["data"]]


def test_healos_13_notes_need_their_own_scope(make_key: MakeKey, note: Note) -> None:
    others = with_key(make_key(scopes=["patients:read", "patients:write", "appointments:read", "documents:read"])[1])
    reader = with_key(make_key(scopes=["notes:read"])[1])
    for path in (NOTES, EXPORT, f"{NOTES}/{note.id}", f"{NOTES}/{uuid4()}", f"{SESSIONS}/{note.session_id}/notes"):
        refused = others.get(path)
        assert (refused.status_code, refused.content) == (403, b'{"error":"Insufficient scope"}')
        assert reader.get(path).status_code == (404 if str(note.id) not in path and path.startswith(f"{NOTES}/")
                                                and path != EXPORT else 200)  # fmt: skip


def test_healos_88_the_list_is_light_newest_first_and_paged(api: Client, note: Note) -> None:
    assert api.get(NOTES).json() == {"data": [light(note)], "meta": {"page": 1, "limit": 20, "total_pages": 1}}
    same = sorted((make_note(note.session, created_at=at(20)) for _ in range(2)), key=lambda one: one.id, reverse=True)
    assert listed(api) == [str(same[0].id), str(same[1].id), str(note.id)]
    page = api.get(NOTES, {"page": "2", "limit": "2"}).json()
    assert ([item["id"] for item in page["data"]], page["meta"]["total_pages"]) == ([str(note.id)], 2)
    assert api.get(NOTES, {"page": "9"}).json()["data"] == []


def test_healos_88_each_filter_narrows(api: Client, note: Note, organization: Organization) -> None:
    author = User.objects.create_user("author@example.org")
    other = make_session(make_patient(organization, "Another"))
    made = make_note(other, note_type="intake", template_id="T1", created_by=author, created_at=at(17, 23, 59, 59, 999))
    both = [str(made.id), str(note.id)]
    for query in (
        {"patient_id": other.patient_id}, {"session_id": other.id}, {"template_id": "T1"}, {"created_by": author.pk},
        {"note_type": "intake"}, {"from": "2026-03-16"}, {"from": "2026-03-17T23:59:59.999Z", "to": "2026-03-17"},
    ):  # fmt: skip
        assert listed(api, **query) == both[:1], query
    assert listed(api, to="2026-03-15") == listed(api, to="2026-03-15T10:00:00.000Z") == both[1:]
    assert listed(api, **{"from": "2026-03-15", "to": "2026-03-17"}) == both
    assert (
        listed(api, template_id="t1")
        == listed(api, patient_id="481926357104938271")
        == listed(api, patient_id="abc")
        == []
    )
    assert listed(api, created_by=uuid4()) == listed(api, session_id=uuid4()) == []
    assert api.get(NOTES, {"note_type": "intake"}).json()["meta"]["total_pages"] == 1
    assert listed(api, unknown="x", note_type="intake") == both[:1]


def test_healos_88_bad_values_are_named(api: Client) -> None:
    wrong = {
        "patient_id": ("", "String must contain at least 1 character(s)"),
        "session_id": ("abc", "Invalid uuid"),
        "created_by": ("abc", "Invalid uuid"),
        "template_id": ("", "String must contain at least 1 character(s)"),
        "note_type": ("\x00", "String must not contain NUL or lone surrogates"),
        "from": ("2026-02-30", "Invalid datetime"),
        "to": ("yesterday", "Invalid datetime"),
    }
    for path in (NOTES, EXPORT):
        answer = api.get(path, {name: sent for name, (sent, _) in wrong.items()})
        assert (answer.status_code, answer.json()["error"]) == (400, INVALID)
        assert answer.json()["details"] == {name: [message] for name, (_, message) in wrong.items()}


def test_healos_89_a_note_comes_with_transcript_and_patient_as_asked(api: Client, note: Note) -> None:
    path = f"{NOTES}/{note.id}"
    both = {"transcript": TRANSCRIPT, "patient": person(note)}
    assert api.get(path).json() == {"data": whole(note) | both}
    assert api.get(path, {"include": "patient,transcript"}).json() == {"data": whole(note) | both}
    assert api.get(path, {"include": "patient"}).json() == {"data": whole(note) | {"patient": person(note)}}
    assert api.get(path, {"include": "transcript"}).json() == {"data": whole(note) | {"transcript": TRANSCRIPT}}
    assert api.get(path, {"include": ""}).json() == {"data": whole(note)}
    for sent, shown in (("author", "author"), ("patient,", ""), ("Patient", "Patient")):
        answer = api.get(path, {"include": sent})
        assert answer.status_code == 400
        message = f"Invalid enum value. Expected 'transcript' | 'patient', received '{shown}'"
        assert answer.json() == {"error": INVALID, "details": {"include": [message]}}


def test_healos_89_a_tag_names_the_note_and_what_it_includes(api: Client, note: Note) -> None:
    path = f"{NOTES}/{note.id}"
    assert api.get(path, {"include": ""})["ETag"] == '"1"'
    tag = api.get(path)["ETag"]
    known = api.get(path, headers={"if-none-match": f"W/{tag}"})
    assert (known.status_code, known.content, known["ETag"]) == (304, b"", tag)
    send(api, "PATCH", f"{PATIENTS}/{note.patient_id}", {"name": "Maria Silva"})
    assert api.get(path, headers={"if-none-match": tag}).json()["data"]["patient"]["name"] == "Maria Silva"


def test_healos_89_the_export_lists_whole_notes(api: Client, note: Note) -> None:
    parts = {"transcript": TRANSCRIPT, "patient": person(note)}
    assert api.get(EXPORT).json() == {
        "data": [whole(note) | parts],
        "meta": {"page": 1, "limit": 20, "total_pages": 1},
    }
    assert api.get(EXPORT, {"include": "", "patient_id": str(note.patient_id)}).json()["data"] == [whole(note)]
    assert api.get(EXPORT, {"note_type": "intake"}).json()["data"] == []


def test_healos_89_the_export_can_be_switched_off(api: Client, settings: Any) -> None:
    settings.HEALOS_NOTES_EXPORT = False
    answer = api.get(EXPORT)
    assert (answer.status_code, answer.content) == (404, NO_NOTE)


def test_healos_90_a_session_is_shown_with_its_patient_and_notes(api: Client, note: Note) -> None:
    later = make_note(note.session, created_at=at(15, 10), updated_at=at(16), content="Later.")
    Note.objects.filter(id=later.id).update(created_at=at(16))
    path = f"{SESSIONS}/{note.session_id}/notes"
    session = {"id": str(note.session_id), "patient_id": str(note.patient_id)}
    data = api.get(path).json()["data"]
    assert list(data) == ["session", "patient", "notes"]
    assert (data["session"], data["patient"]) == (session | {"transcript": TRANSCRIPT}, person(note))
    assert [item["id"] for item in data["notes"]] == [str(later.id), str(note.id)]
    assert data["notes"][1] == whole(note)
    bare = api.get(path, {"include": ""}).json()["data"]
    assert (list(bare), bare["session"]) == (["session", "notes"], session)
    assert api.get(path, {"include": "x"}).status_code == 400


def test_healos_91_nothing_is_written_here(make_key: MakeKey, note: Note) -> None:
    unscoped = with_key(make_key(scopes=["usage:read"])[1])
    for path in (NOTES, EXPORT, f"{NOTES}/{note.id}", f"{SESSIONS}/{note.session_id}/notes"):
        for method in ("POST", "PATCH", "PUT", "DELETE"):
            answer = send(unscoped, method, path, {})
            assert (answer.status_code, answer.json()) == (405, {"error": "Method not allowed"})
            assert answer["Allow"] == "GET, HEAD"


def test_healos_91_absent_foreign_malformed_and_deleted_are_404(api: Client, other_api: Client, note: Note) -> None:
    for odd in (note.id, uuid4(), "abc", str(uuid4()).upper(), "export2"):
        answer = other_api.get(f"{NOTES}/{odd}")
        assert (answer.status_code, answer.content) == (404, NO_NOTE)
    for odd in (note.session_id, uuid4(), "abc"):
        answer = other_api.get(f"{SESSIONS}/{odd}/notes")
        assert (answer.status_code, answer.content) == (404, NO_SESSION)
    assert listed(other_api) == listed(other_api, session_id=note.session_id) == []
    patient = f"{PATIENTS}/{note.patient_id}"
    send(api, "DELETE", patient)
    assert api.get(f"{NOTES}/{note.id}").content == NO_NOTE
    assert api.get(f"{SESSIONS}/{note.session_id}/notes").content == NO_SESSION
    assert listed(api) == api.get(EXPORT).json()["data"] == []
    send(api, "POST", f"{patient}/restore")
    assert listed(api) == [str(note.id)]


def test_every_read_is_on_the_record_and_costs_two_reads(api: Client, note: Note) -> None:
    api.get("/v1/account")  # notes the use of the key
    paths = {
        NOTES: ("note.listed", ""),
        f"{NOTES}?note_type=x": ("note.listed", ""),
        EXPORT: ("note.exported", ""),
        f"{NOTES}/{note.id}": ("note.read", str(note.id)),
        f"{SESSIONS}/{note.session_id}/notes": ("session.read", str(note.session_id)),
    }
    for path, expected in paths.items():
        with CaptureQueriesContext(connection) as captured:
            assert api.get(path).status_code == 200
        reads = [query["sql"] for query in captured.captured_queries if query["sql"].startswith("SELECT")]
        assert len(reads) <= 3, (path, reads)  # the key is one
        event = AuditEvent.objects.latest("id")
        assert (event.action, event.object_id, event.reason) == (*expected, "")
    assert AuditEvent.objects.filter(action__regex="^(note|session)").count() == len(paths)


def test_healos_90_a_session_is_shown_with_its_newest_notes_alone(
    api: Client, note: Note, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "MOST_OF_SESSION", 2)
    later = [make_note(note.session, created_at=at(day)) for day in (21, 20)]
    data = api.get(f"{SESSIONS}/{note.session_id}/notes").json()["data"]
    assert [item["id"] for item in data["notes"]] == [str(one.id) for one in later]


def test_healos_91_a_session_goes_and_comes_with_its_notes(api: Client, note: Note) -> None:
    path = f"{SESSIONS}/{note.session_id}/notes"
    Note.objects.update(deleted_at=at(17))
    gone = api.get(path)
    assert (gone.status_code, gone.content) == (404, NO_SESSION)
    Note.objects.update(deleted_at=None)
    assert api.get(path).status_code == 200
