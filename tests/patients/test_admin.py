"""What staff see of patients, what it takes to see more, and what they may change."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client

from apps.accounts.models import AuditEvent, Membership, Organization
from apps.model_runs.models import ModelRun
from apps.patients.models import Document, Note, Patient
from helios_site.storage import object_store
from tests.accounts.staff_groups import staff_in
from tests.patients.people import Kept, keep, make_patient

pytestmark = pytest.mark.django_db
ADMIN = "/admin/patients"
SECRET = ("canary-name", "canary-first", "canary-said", "canary-content", "canary-file", "canary-type", "canary-hist")
WHY = {"reason": "asked by phone"}


@pytest.fixture
def kept(organization: Organization) -> Kept:
    return keep(make_patient(organization))


@pytest.fixture
def clinical(db: None) -> Client:
    """A browser in which somebody of the group `clinical` is signed in."""
    client = Client()
    client.force_login(staff_in("clinical"))
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def page(record: Any, name: str = "change") -> str:
    return f"{ADMIN}/{record._meta.model_name}/{record.pk}/{name}/"


def events() -> list[tuple[str, str]]:
    return list(AuditEvent.objects.order_by("id").values_list("action", "reason"))


def fields_of(response: Any) -> dict[str, Any]:
    """What the form on the page would send."""
    form = response.context["form"]
    sent = {name: form[name].value() for name in form.fields}
    return {name: "" if value is None else value for name, value in sent.items()} | {"save": "Save"}


# -- What is shown ---------------------------------------------------------------------------------


def test_lists_and_pages_show_ids_and_no_contents_and_are_on_the_record(clinical: Client, kept: Kept) -> None:
    for record in (kept.patient, kept.appointment, kept.document, kept.note):
        kind = record._meta.model_name
        for path in (f"{ADMIN}/{kind}/", page(record), page(record, "history")):
            response = clinical.get(path)
            assert response.status_code == 200
            assert str(record.pk) in text(response) or "history" in path
            assert not [secret for secret in SECRET if secret in text(response)], path
        assert [action for action, _ in events()][-3:] == [f"{kind}.listed", f"{kind}.viewed", f"{kind}.history_viewed"]
    viewed = AuditEvent.objects.filter(action__endswith=".viewed").values_list("organization_id", flat=True)
    assert set(viewed) == {kept.patient.organization_id}


def test_a_patients_page_counts_and_leads_to_what_is_kept(clinical: Client, kept: Kept) -> None:
    Note.objects.filter(pk=kept.note.pk).update(deleted_at=kept.note.created_at)
    ModelRun.objects.create(
        organization=kept.patient.organization, patient=kept.patient, upload_expires_at=kept.patient.created_at
    )
    shown = text(clinical.get(page(kept.patient)))
    for app, kind, more in (
        ("patients", "appointment", ""), ("patients", "document", ""), ("patients", "note", "&amp;deleted=yes"),
        ("model_runs", "modelrun", ""),
    ):  # fmt: skip
        address = f"/admin/{app}/{kind}/?patient__id__exact={kept.patient.pk}{more}"
        assert f'<a href="{address}">1</a>' in shown
        assert clinical.get(address.replace("&amp;", "&")).context["cl"].result_count == 1
    listed = AuditEvent.objects.filter(action="appointment.listed").get()
    assert listed.organization_id == kept.patient.organization_id, "a list of one patient"


def test_a_get_never_reveals(clinical: Client, kept: Kept) -> None:
    for record, name in (
        (kept.patient, "reveal"), (kept.patient, "edit"), (kept.appointment, "reveal"), (kept.note, "reveal"),
        (kept.note, "edit"), (kept.document, "download"),
    ):  # fmt: skip
        for response in (
            clinical.get(page(record, name), WHY), clinical.post(page(record, name), {"reason": " "}),
            clinical.get(page(record, name), WHY | {"save": "Save"}),
        ):  # fmt: skip
            assert response.status_code == 200
            assert not [secret for secret in SECRET if secret in text(response)], (record, name)
    assert events() == []


def test_a_reason_reveals_a_patient_in_one_response(clinical: Client, kept: Kept, other_organization: Any) -> None:
    keep(make_patient(other_organization, "stranger"), "stranger")
    response = clinical.post(page(kept.patient, "reveal"), WHY)
    assert "no-store" in response["Cache-Control"]
    shown = text(response)
    marks = ("name", "pronouns", "patient-notes", "first", "last", "email", "phone", "mrn", "history", "type", "file")
    for mark in (*marks, "appointment-notes", "title", "said", "summary", "content", "problem", "icd", "cpt"):
        assert f"canary-{mark}" in shown, mark
    assert "stranger" not in shown
    assert events() == [("patient.revealed", "asked by phone")]
    event = AuditEvent.objects.get()
    assert (event.organization_id, event.object_id) == (kept.patient.organization_id, str(kept.patient.pk))
    assert "canary-name" not in text(clinical.get(page(kept.patient))), "the next page shows nothing again"


def test_a_reason_reveals_a_note_and_an_appointment(clinical: Client, kept: Kept) -> None:
    assert "canary-said" in text(clinical.post(page(kept.note, "reveal"), WHY))
    assert "canary-appointment-notes" in text(clinical.post(page(kept.appointment, "reveal"), WHY))
    assert events() == [("note.revealed", "asked by phone"), ("appointment.revealed", "asked by phone")]


def test_what_is_revealed_is_shown_as_text(clinical: Client, organization: Organization) -> None:
    kept = keep(make_patient(organization, "<script>alert(1)</script>"), "<b>bold</b>")
    shown = text(clinical.post(page(kept.patient, "reveal"), {"reason": '"><script>alert(2)</script>'}))
    assert "&lt;script&gt;alert(1)" in shown
    assert "<script>alert" not in shown
    assert "<b>bold" not in shown


def test_a_role_reveals_what_it_may_see(admin: Client, staff: Any, kept: Kept) -> None:
    from django.contrib.auth.models import Permission

    staff.is_superuser = False
    staff.save()
    staff.user_permissions.set(Permission.objects.filter(codename__in=["view_patient", "view_note"]))
    shown = text(admin.post(page(kept.patient, "reveal"), WHY))
    assert "canary-content" in shown
    for mark in ("canary-said", "canary-file", "canary-type", "Change", "Add a note", "Download"):
        assert mark not in shown, mark
    assert admin.post(page(kept.patient, "edit"), WHY).status_code == 403
    assert admin.post(page(kept.document, "download"), WHY).status_code == 403


@pytest.mark.parametrize("groups", [("support",), ("auditor",), ("support", "auditor")])
def test_other_groups_come_to_nothing(groups: tuple[str, ...], kept: Kept) -> None:
    client = Client()
    client.force_login(staff_in(*groups))
    for record, names in (
        (kept.patient, ("change", "history", "reveal", "edit", "add_note", "deletion")),
        (kept.appointment, ("change", "history", "reveal")), (kept.document, ("change", "history", "download")),
        (kept.note, ("change", "history", "reveal", "edit", "deletion")),
    ):  # fmt: skip
        for name in names:
            posted = client.post(page(record, name), WHY | {"save": "Save", "verb": "delete"})
            assert (client.get(page(record, name)).status_code, posted.status_code) == (403, 403), (record, name)
        assert client.get(f"{ADMIN}/{record._meta.model_name}/").status_code == 403
    assert events() == []


# -- Documents -------------------------------------------------------------------------------------


def test_a_document_is_handed_out_for_a_reason(clinical: Client, kept: Kept) -> None:
    response = clinical.post(page(kept.document, "download"), WHY)
    assert b"".join(response.streaming_content) == b"canary-document-bytes"  # type: ignore[attr-defined]
    assert response["Content-Disposition"] == 'attachment; filename="canary-file.pdf"'
    assert (response["Content-Type"], response["X-Content-Type-Options"]) == ("application/octet-stream", "nosniff")
    assert "no-store" in response["Cache-Control"]
    assert events() == [("document.downloaded", "asked by phone")]


def test_a_document_that_failed_or_is_gone_is_not_handed_out(clinical: Client, kept: Kept) -> None:
    Document.objects.update(status="failed", status_reason="It holds macros.")
    assert "Download" not in text(clinical.get(page(kept.document)))
    assert clinical.post(page(kept.document, "download"), WHY)["Location"] == page(kept.document)
    assert clinical.get(f"{ADMIN}/document/?check=failed").context["cl"].result_count == 1
    Document.objects.update(status="ready")
    object_store().delete(kept.document.storage_key)
    assert "not in the storage" in text(clinical.post(page(kept.document, "download"), WHY, follow=True))
    assert "document.downloaded" not in dict(events())


# -- Changes ---------------------------------------------------------------------------------------


def test_staff_change_what_notes_show_of_a_person(clinical: Client, kept: Kept) -> None:
    form = clinical.post(page(kept.patient, "edit"), WHY)
    assert "no-store" in form["Cache-Control"]
    sent = fields_of(form)
    assert (sent["reason"], sent["version"], sent["last_name"]) == ("asked by phone", 1, "canary-last")
    sent |= {"last_name": "Ångström", "gender": "", "date_of_birth": "1990-02-28", "social_history": "Lives alone."}
    assert clinical.post(page(kept.patient, "edit"), sent).status_code == 302
    changed: Any = Patient.objects.get()
    assert (changed.last_name, changed.gender, str(changed.date_of_birth)) == ("Ångström", None, "1990-02-28")
    assert changed.client_history["social_history"] == "Lives alone."
    assert changed.client_history["family_history"] == "canary-history"
    assert (changed.name, changed.version) == ("canary-name", 2)
    assert events() == [("patient.revealed", "asked by phone"), ("patient.changed", "asked by phone")]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"reason": " "}, "This field is required"),
        ({"date_of_birth": "2026-02-30"}, "Enter a valid date"),
        ({"phone": "1" * 256}, "at most 255 characters"),
        ({"mrn": "1\x002"}, "Null characters are not allowed"),
        ({"version": "2"}, "It was changed meanwhile"),
    ],
)
def test_a_change_that_cannot_be_made_loses_nothing_that_was_typed(
    clinical: Client, kept: Kept, wrong: dict[str, str], said: str
) -> None:
    sent = {"reason": "misspelt", "version": "1", "first_name": "typed-just-now", "save": "Save", **wrong}
    shown = text(clinical.post(page(kept.patient, "edit"), sent))
    assert said in shown
    assert "typed-just-now" in shown
    assert "canary-last" not in shown, "it shows what was sent alone"
    assert (Patient.objects.get().version, events()) == (1, [])


def test_staff_write_a_note_with_its_session(clinical: Client, kept: Kept, organization: Organization) -> None:
    new = page(kept.patient, "add_note")
    form = fields_of(clinical.post(new, WHY))
    form |= {"content": "Sleeps better.", "problems": "insomnia\n\n worry ", "icd10_codes": "F51.0: Insomnia: primary"}
    form |= {"session_date": "2026-03-15", "start_time": "2026-03-15T09:30", "title": "First visit", "text": "said"}
    ends_early = clinical.post(new, form | {"end_time": "2026-03-15T09:00", "icd10_codes": "F1: a\nF1: b"})
    assert "cannot end before it starts" in text(ends_early)
    assert "Write each code once" in text(ends_early)
    assert clinical.post(new, form).status_code == 302
    note = Note.objects.select_related("session").get(content="Sleeps better.")
    assert (note.problems, note.icd10_codes) == (["insomnia", "worry"], {"F51.0": "Insomnia: primary"})
    assert (note.created_by, note.organization, note.patient) == (None, organization, kept.patient)
    assert (note.session.title, str(note.session.start_time)) == ("First visit", "2026-03-15 09:30:00+00:00")
    assert note.session.patient == kept.patient
    assert events() == [("note.created", "asked by phone")]


def test_a_note_by_a_member_of_the_organisation_names_its_author(
    admin: Client, staff: Any, kept: Kept, organization: Organization
) -> None:
    Membership.objects.create(organization=organization, user=staff)
    form = fields_of(admin.post(page(kept.patient, "add_note"), WHY))
    admin.post(page(kept.patient, "add_note"), form)
    assert Note.objects.exclude(pk=kept.note.pk).get().created_by == staff


def test_staff_change_a_note_and_no_field_that_they_did_not_touch(clinical: Client, kept: Kept) -> None:
    codes = {"F41.1": " spaced ", "F51": {"from": "an import"}}
    Note.objects.update(icd10_codes=codes, problems=["two\nlines"])
    sent = fields_of(clinical.post(page(kept.note, "edit"), WHY)) | {"content": "Corrected.", "reason": "misheard"}
    assert clinical.post(page(kept.note, "edit"), sent).status_code == 302
    note = Note.objects.get()
    assert (note.content, note.version) == ("Corrected.", 2)
    assert (note.icd10_codes, note.problems) == (codes, ["two\nlines"])
    assert events() == [("note.revealed", "asked by phone"), ("note.changed", "misheard")]


# -- Deleting and restoring ------------------------------------------------------------------------


def test_a_patient_is_deleted_and_restored_with_a_reason(clinical: Client, api: Client, kept: Kept) -> None:
    asked, read = page(kept.patient, "deletion"), f"/ext-api/v1/patients/{kept.patient.pk}"
    assert "Delete a patient" in text(clinical.get(asked))
    clinical.post(asked, {"verb": "delete", "reason": " "})
    assert api.get(read).status_code == 200
    clinical.post(asked, {"verb": "delete", "reason": "a double"})
    assert api.get(read).status_code == 404
    listing = clinical.get(f"{ADMIN}/patient/?deleted=yes").context["cl"]
    assert (listing.result_count, clinical.get(f"{ADMIN}/patient/").context["cl"].result_count) == (1, 0)
    for name in ("reveal", "edit", "add_note"):
        refused = clinical.post(page(kept.patient, name), WHY | {"save": "Save"}, follow=True)
        assert "It is deleted: restore it first." in text(refused)
    assert "reveal/" not in text(clinical.get(page(kept.patient)))
    assert clinical.post(page(kept.document, "download"), WHY).status_code == 302
    assert "Restore a patient" in text(clinical.get(asked))
    clinical.post(asked, {"verb": "restore", "reason": "no double"})
    assert api.get(read).status_code == 200
    deeds = [event for event in events() if event[0] in ("patient.deleted", "patient.restored")]
    assert deeds == [("patient.deleted", "a double"), ("patient.restored", "no double")]


def test_what_cannot_be_restored_says_why(clinical: Client, kept: Kept, organization: Organization) -> None:
    asked = page(kept.patient, "deletion")
    clinical.post(asked, {"verb": "delete", "reason": "a double"})
    other = make_patient(organization, external_id="canary-patient-external")
    shown = text(clinical.post(asked, {"verb": "restore", "reason": "no double"}, follow=True))
    assert f"the patient {other.pk} has the external id" in shown
    Patient.objects.filter(pk=other.pk).update(external_id=None)
    Patient.objects.filter(pk=kept.patient.pk).update(deleted_at="2020-01-01T00:00Z")
    shown = text(clinical.post(asked, {"verb": "restore", "reason": "no double"}, follow=True))
    assert "deleted too long ago" in shown


def test_a_note_is_deleted_and_restored_with_a_reason(clinical: Client, kept: Kept) -> None:
    asked = page(kept.note, "deletion")
    for verb, gone in (("delete", True), ("delete", True), ("restore", False), ("restore", False), ("delete", True)):
        assert clinical.post(asked, {"verb": verb, "reason": verb}).status_code == 302
        assert (Note.objects.get().deleted_at is not None) == gone
    clinical.post(page(kept.patient, "deletion"), {"verb": "delete", "reason": "a double"})
    shown = text(clinical.post(asked, {"verb": "restore", "reason": "no double"}, follow=True))
    assert "its patient is deleted" in shown
    clinical.post(page(kept.patient, "deletion"), {"verb": "restore", "reason": "no double"})
    assert Note.objects.get().deleted_at is not None, "it was deleted before its patient"


def test_nothing_is_added_changed_or_deleted_by_djangos_own_pages(admin: Client, kept: Kept) -> None:
    for record in (kept.patient, kept.appointment, kept.document, kept.note):
        assert admin.get(f"{ADMIN}/{record._meta.model_name}/add/").status_code == 403
        assert admin.post(page(record), {"external_id": "x"}).status_code == 403
        assert admin.post(page(record, "delete"), {"post": "yes"}).status_code == 403


# -- Finding ---------------------------------------------------------------------------------------


def test_records_are_found_by_id_external_id_and_organisation_and_never_by_name(
    clinical: Client, kept: Kept, other_organization: Organization
) -> None:
    other = make_patient(other_organization, "stranger", external_id=str(kept.patient.pk))
    for term, found in (
        (str(kept.patient.pk), {kept.patient}), ("stranger-patient-external", set()), (str(other.pk), {other}),
        ("canary-patient-external", {kept.patient}), ("southern", {other}), ("clinic", {kept.patient, other}),
        ("canary-name", set()), ("canary-first", set()), ("x\x00", {kept.patient, other}), (" ", {kept.patient, other}),
    ):  # fmt: skip
        listing = clinical.get(f"{ADMIN}/patient/?{urlencode({'q': term})}").context["cl"]
        assert set(listing.result_list) == found, term
    for record, term in ((kept.document, "canary-document-external"), (kept.note, str(kept.note.pk))):
        listing = clinical.get(f"{ADMIN}/{record._meta.model_name}/", {"q": term}).context["cl"]
        assert list(listing.result_list) == [record]


def test_no_address_asks_a_list_for_what_it_does_not_show(admin: Client, kept: Kept) -> None:
    asked = (
        ("patients/patient", "name__startswith"), ("patients/patient", "name"), ("patients/patient", "mrn__exact"),
        ("patients/patient", "client_history__medical_history"), ("patients/appointment", "notes__contains"),
        ("patients/appointment", "patient__name"), ("patients/document", "filename__exact"),
        ("patients/note", "content__contains"), ("patients/note", "session__text__contains"),
        ("model_runs/modelrun", "user_label__startswith"), ("model_runs/modelrun", "patient__name__exact"),
    )  # fmt: skip
    for path, lookup in asked:
        assert admin.get(f"/admin/{path}/", {lookup: "canary"}).status_code == 400, lookup


def test_ids_that_are_none_lead_back(clinical: Client) -> None:
    for kind, name in (("patient", "reveal"), ("note", "deletion"), ("document", "download"), ("patient", "change")):
        for wrong in ("9" * 30, "x", "0"):
            assert clinical.get(f"{ADMIN}/{kind}/{wrong}/{name}/").status_code == 302


def test_lists_of_ten_thousand_ask_as_many_queries_as_of_one(
    clinical: Client, kept: Kept, django_assert_max_num_queries: Any
) -> None:
    for record in (kept.patient, kept.appointment, kept.document, kept.note):
        columns = [field.column for field in record._meta.concrete_fields]
        taken = {"id": "gen_random_uuid()", "external_id": "NULL", "storage_key": "gen_random_uuid()::text"}
        if record is kept.patient:
            taken["id"] = "100000 + n"
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {record._meta.db_table} ({', '.join(columns)})"  # noqa: S608 - our own column names
                f" SELECT {', '.join(taken.get(column, column) for column in columns)}"
                f" FROM {record._meta.db_table}, generate_series(1, 9999) AS n"
            )
        with django_assert_max_num_queries(8) as captured:
            assert clinical.get(f"{ADMIN}/{record._meta.model_name}/").status_code == 200
        asked = [query["sql"] for query in captured.captured_queries]
        assert not [sql for sql in asked if "COUNT(*)" in sql and "LIMIT 1000" not in sql]
        assert not [sql for sql in asked if '"search_name"' in sql or '"content"' in sql or '"filename"' in sql]
