"""The pages of patients: the lists and the forms; who may, what they keep, and what they leave on the record."""

from __future__ import annotations

import json
import re
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.patients import services
from apps.patients.models import Patient
from tests.contract.healos.calls import content_of, send
from tests.pages import INLINE, page_text
from tests.patients.people import keep, left, make_patient

pytestmark = pytest.mark.django_db
RTL, LONG = "ليلى مراد", "x" * 255


def sign_in(organization: Organization, role: str = "member") -> Client:
    user = User.objects.create_user(f"{uuid4().hex}@example.org")
    Membership.objects.create(organization=organization, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def member(organization: Organization) -> Client:
    return sign_in(organization)


def text_of(answer: Any, status: int = 200) -> str:
    """What a reader sees: without tags, white space as one."""
    assert answer.status_code == status, answer.content
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return re.findall(r'href="/patients/\d+"><bdi>([^<]*)', answer.content.decode())


def hidden(answer: Any) -> dict[str, str]:
    """What a form carries along."""
    found = re.findall(r'type="hidden" name="(version|seen)" value="([^"]*)"', answer.content.decode())
    return dict(found)


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def add(organization: Organization, name: str, **fields: Any) -> Patient:
    given = {"name": name, **fields}
    return services.create_patient(actor=SYSTEM, organization_id=organization.id, fields=given)


# -- The list -------------------------------------------------------------------------------------------------


def test_the_list_searches_narrows_and_sorts_as_the_api(
    member: Client, organization: Organization, other_organization: Organization
) -> None:
    add(other_organization, "Ada Foreign")
    for name, external_id, consent in (("Ángel Díaz", "E-1", True), ("Bo Angerer", None, False), ("Zoë", "E-3", True)):
        added = add(organization, name, external_id=external_id, consent=consent)
        Patient.objects.filter(pk=added.pk).update(created_at=timezone.now())  # two may come in one millisecond
    assert names(member.get("/patients")) == ["Zoë", "Bo Angerer", "Ángel Díaz"]
    assert names(member.get("/patients?sort=name&search=&consent=")) == ["Ángel Díaz", "Bo Angerer", "Zoë"]
    assert names(member.get("/patients?search=ANGE&sort=name")) == ["Ángel Díaz", "Bo Angerer"]
    assert names(member.get("/patients?search=an")) == ["Ángel Díaz"], "two letters are a beginning"
    assert names(member.get("/patients?search=E-3")) == ["Zoë"]
    assert names(member.get("/patients?search=E-")) == []
    assert names(member.get("/patients?consent=given&sort=name")) == ["Ángel Díaz", "Zoë"]
    assert names(member.get("/patients?consent=missing&search=ang")) == ["Bo Angerer"]
    assert "3 patients of Northern Clinic" in text_of(member.get("/patients"))
    assert "No patient fits" in text_of(member.get("/patients?search=nobody"))
    for odd in ("consent=x", "sort=x", "after=7", f"search={'x' * 256}", "search=%00"):
        answer = member.get(f"/patients?{odd}")
        assert (answer.status_code, answer.content.count(b'role="alert"')) == (400, 1), odd


def test_an_organisation_without_patients_is_told_how_to_begin(member: Client, organization: Organization) -> None:
    text = text_of(member.get("/patients"))
    assert "There is no patient yet." in text
    assert "/ext-api/v1/import" in text
    assert "Nobody was deleted" in text_of(member.get("/patients/deleted"))


@pytest.mark.parametrize("sort", ["", "name"])
def test_pages_go_on_by_place_also_among_equal_names(member: Client, organization: Organization, sort: str) -> None:
    fill(organization, 120)
    add(organization, "Zz last by name")
    seen: list[str] = []
    path = f"/patients?sort={sort}"
    for _ in range(3):
        html = member.get(path).content.decode()
        seen += re.findall(r'href="/patients/(\d+)"', html)
        onwards = re.search(r'href="(/patients\?[^"]+)" rel="next"', html)
        path = onwards[1].replace("&amp;", "&") if onwards else ""
        add(organization, "Aa came meanwhile" if not sort else "aa")
    assert path == ""
    assert "Zz" not in path
    order = ("search_name", "id") if sort else ("-created_at", "-id")
    there = Patient.objects.exclude(name__in=["Aa came meanwhile", "aa"]).order_by(*order)
    assert seen == [str(pk) for pk in there.values_list("id", flat=True)]


def test_names_of_every_kind_are_shown_as_text(member: Client, organization: Organization) -> None:
    odd = "<script>alert(1)</script>"
    patient = add(organization, odd, external_id="<b>", notes="</textarea><b>")
    for name in (RTL, LONG):
        add(organization, name)
    html = member.get("/patients").content.decode()
    assert f"<bdi>{RTL}</bdi>" in html
    assert LONG in html
    paths = ["/patients", *(f"/patients/{patient.pk}{end}" for end in ("", "/edit", "/delete", "/archives", "/erase"))]
    services.delete_patient(actor=SYSTEM, organization_id=organization.id, patient_id=add(organization, odd).pk)
    for path in (*paths, "/patients/deleted", "/patients/new"):
        html = member.get(path).content.decode()
        assert odd not in html, path
        assert INLINE.search(html) is None, path
        assert "<b>" not in html, path


def test_a_page_of_the_list_costs_the_same_however_many_there_are(member: Client, organization: Organization) -> None:
    paths = ("/patients", "/patients?sort=name", "/patients?search=patient+77&sort=name", "/patients?search=pa",
             "/patients?consent=given", "/patients/deleted")  # fmt: skip
    fill(organization, 60)

    def cost(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert member.get(path).status_code == 200
        return len(captured.captured_queries)

    few = [cost(path) for path in paths]
    fill(organization, 100_000)
    assert [cost(path) for path in paths] == few
    assert 5 < min(few) <= max(few) <= 12
    for path in paths:
        spent = []
        for _ in range(3):
            start = time.process_time()
            member.get(path)
            spent.append(time.process_time() - start)
        assert min(spent) < 0.1, path


_FILL = """
INSERT INTO patients_patient (id, organization_id, created_at, updated_at, version, name, search_name, consent)
SELECT %s + n, %s, now() - n * interval '1 second', now(), 1, 'Patient ' || n / 10, 'patient ' || n / 10, n %% 1000 = 0
FROM generate_series(1, %s) AS n
"""


def fill(organization: Organization, rows: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FILL, [10**17 + rows, organization.id, rows])
        cursor.execute("ANALYZE patients_patient")


# -- A new one, and changes -----------------------------------------------------------------------------------


def test_a_new_patient_is_on_record_as_through_the_api(member: Client, organization: Organization) -> None:
    typed = {"name": " Maria Santos ", "pronouns": "", "notes": "one\r\ntwo", "consent": "on", "external_id": "EHR-1"}
    answer = member.post("/patients/new", typed)
    patient = Patient.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/patients/{patient.pk}")
    assert (patient.organization_id, patient.name, patient.search_name) == (
        organization.id,
        "Maria Santos",
        "maria santos",
    )
    assert (patient.pronouns, patient.notes, patient.external_id) == (None, "one\ntwo", "EHR-1")
    assert patient.consent
    assert patient.consent_changed_at is not None
    event = AuditEvent.objects.get(action="patient.created")
    assert (event.actor_type, event.organization_id, event.object_id) == ("user", organization.id, str(patient.pk))
    text = text_of(member.get(answer["Location"]))
    assert "The patient is on record." in text
    assert "Consent to voice checks: given" in text


def test_what_cannot_be_kept_is_said_beside_the_field_and_stays_typed(
    member: Client, organization: Organization
) -> None:
    typed = {"name": " ", "pronouns": "p" * 256, "notes": "<b>kept", "external_id": "EHR-1"}
    answer = member.post("/patients/new", typed)
    html = answer.content.decode()
    text = text_of(answer, 400)
    assert "Enter a name." in text
    assert text.count("This has more than 255 characters. Shorten it.") == 2, "in the alert and beside the field"
    assert html.count('aria-invalid="true"') == 2
    assert "p" * 256 in html
    assert "&lt;b&gt;kept" in html
    assert 'value="EHR-1"' in html
    assert "<title>Error: " in html
    assert not Patient.objects.exists()


def test_an_external_id_that_is_taken_leads_to_who_has_it(
    member: Client, organization: Organization, other_organization: Organization
) -> None:
    add(other_organization, "Foreign", external_id="EHR-1")
    taken = add(organization, "Ada", external_id="EHR-1")
    answer = member.post("/patients/new", {"name": "Bea", "external_id": "EHR-1"})
    text = text_of(answer, 409)
    assert "Another patient has this id already. Open that one, or give another id." in text
    assert f'href="/patients/{taken.pk}"' in answer.content.decode()
    assert 'value="Bea"' in answer.content.decode()
    event = AuditEvent.objects.latest("id")
    assert (event.action, event.object_id, event.actor_type) == ("patient.read", str(taken.pk), "user"), "it is named"
    assert Patient.objects.of(organization.id).count() == 1


def test_a_change_is_made_to_the_version_that_was_seen(member: Client, organization: Organization) -> None:
    patient = add(organization, "Ada", notes="old", pronouns="she/her", external_id="EHR-1")
    page = member.get(f"/patients/{patient.pk}/edit")
    assert "old</textarea>" in page.content.decode()
    assert "EHR-1, cannot be changed" in text_of(page)
    typed = {"name": "Ada Byron", "pronouns": "", "notes": "new", **hidden(page)}
    assert member.post(f"/patients/{patient.pk}/edit", typed)["Location"] == f"/patients/{patient.pk}"
    patient.refresh_from_db()
    assert (patient.name, patient.search_name, patient.pronouns, patient.notes, patient.version) == (
        "Ada Byron", "ada byron", None, "new", 2,
    )  # fmt: skip
    assert patient.external_id == "EHR-1"
    assert actions()[-2:] == ["patient.read", "patient.changed"]


def test_a_stale_change_is_refused_and_undoes_nobody_s(member: Client, organization: Organization) -> None:
    patient = add(organization, "Ada", notes="old", pronouns="she/her")
    page = member.get(f"/patients/{patient.pk}/edit")
    services.change_patient(
        actor=SYSTEM,
        organization_id=organization.id,
        patient_id=patient.pk,
        changes={"name": "Ada King", "notes": "theirs"},
    )
    typed = {"name": "Ada Byron", "pronouns": "they/them", "notes": "old", **hidden(page)}
    answer = member.post(f"/patients/{patient.pk}/edit", typed)
    html, text = answer.content.decode(), text_of(answer, 409)
    assert "Nothing was saved: somebody else changed this patient" in text
    assert "Name is now “ Ada King ”. What you typed is kept below" in text
    assert "Notes were changed. You had not touched it: the form shows the new one." in text
    assert "Pronouns is now" not in text
    assert 'value="Ada Byron"' in html
    assert 'value="they/them"' in html
    assert "theirs</textarea>" in html
    patient.refresh_from_db()
    assert (patient.name, patient.notes, patient.pronouns) == ("Ada King", "theirs", "she/her")
    again = {"name": "Ada Byron", "pronouns": "they/them", "notes": "theirs", **hidden(answer)}
    assert member.post(f"/patients/{patient.pk}/edit", again).status_code == 302
    patient.refresh_from_db()
    assert (patient.name, patient.notes, patient.pronouns) == ("Ada Byron", "theirs", "they/them")


def test_an_edit_that_cannot_be_kept_stays_typed_and_stale(member: Client, organization: Organization) -> None:
    patient = add(organization, "Ada")
    carried = hidden(member.get(f"/patients/{patient.pk}/edit"))
    answer = member.post(f"/patients/{patient.pk}/edit", {"name": "", "notes": "kept", **carried})
    assert "Enter a name." in text_of(answer, 400)
    assert "kept</textarea>" in answer.content.decode()
    assert hidden(answer) == carried
    without = member.post(f"/patients/{patient.pk}/edit", {"name": "Bea", "version": "x"})
    assert "Name is now “ Ada ”" in text_of(without, 409), "a form that names no version may overwrite nothing"


def test_consent_is_given_and_withdrawn_with_its_time(member: Client, organization: Organization) -> None:
    patient = add(organization, "Ada")
    assert patient.consent_changed_at is None
    for said, agreed in (("yes", True), ("no", False)):
        before = timezone.now() - timedelta(milliseconds=1)
        assert member.post(f"/patients/{patient.pk}/consent", {"consent": said}).status_code == 302
        patient.refresh_from_db()
        assert patient.consent is agreed
        assert patient.consent_changed_at is not None
        assert patient.consent_changed_at >= before
        assert actions()[-1] == "patient.changed"
    given_at = patient.consent_changed_at
    member.post(f"/patients/{patient.pk}/consent", {"consent": "no"})
    member.post(f"/patients/{patient.pk}/consent", {"consent": "perhaps"})
    patient.refresh_from_db()
    assert patient.consent_changed_at == given_at, "nothing changed"
    assert "Consent to voice checks: withdrawn" in text_of(member.get(f"/patients/{patient.pk}"))


def test_the_time_of_consent_is_kept_whoever_notes_it(api: Client, organization: Organization) -> None:
    def changed_at() -> Any:
        return Patient.objects.values_list("consent_changed_at", flat=True).get()

    line: dict[str, Any] = {"external_id": "EHR-1", "name": "Ada", "consent": True}
    path, kind = "/ext-api/v1/import?mode=update", "application/x-ndjson"

    def bring() -> str:
        answer: Any = api.post(path, json.dumps({"type": "patient", "data": line}), content_type=kind)
        return str(json.loads(content_of(answer).splitlines()[0])["status"])

    assert bring() == "created"
    first = changed_at()
    assert first is not None
    assert bring() == "skipped", "it is no change of its own"
    line["consent"] = False
    assert bring() == "updated"
    assert changed_at() > first
    withdrawn = changed_at()
    one = f"/ext-api/v1/patients/{Patient.objects.get().pk}"
    assert send(api, "PATCH", one, {"name": "Ada B."}).status_code == 200
    assert changed_at() == withdrawn
    assert "consent_changed_at" not in send(api, "PATCH", one, {"consent": True}).json()["data"]
    assert changed_at() > withdrawn


# -- Deleted and back -----------------------------------------------------------------------------------------


def test_a_patient_is_deleted_by_a_second_step_and_comes_back(member: Client, organization: Organization) -> None:
    kept = keep(make_patient(organization))
    patient = kept.patient
    path = f"/patients/{patient.pk}"
    page = member.get(f"{path}/delete")
    assert "1 appointment, 1 document and 1 note go along." in text_of(page)
    assert Patient.objects.of(organization.id).exists(), "a look deletes nothing"
    answer = member.post(f"{path}/delete", hidden(page), follow=True)
    assert f"restored for {settings.SOFT_DELETE_DAYS} days" in text_of(answer)
    assert "canary-name" in text_of(member.get("/patients/deleted?search=canary"))
    assert "No deleted patient fits" in text_of(member.get("/patients/deleted?search=nobody"))
    assert "canary-name" not in text_of(member.get("/patients"))
    assert [member.get(path + end).status_code for end in ("", "/edit", "/delete", "/archives")] == [404] * 4
    assert member.post(f"{path}/restore")["Location"] == path
    assert left(kept) == ["Patient", "Appointment", "Document", "Session", "Note", "file"]
    assert "canary-name" in text_of(member.get(path))
    assert {"patient.deleted", "patient.restored"} <= set(actions())


def test_what_was_changed_meanwhile_is_not_deleted_unseen(member: Client, organization: Organization) -> None:
    patient = add(organization, "Ada")
    carried = hidden(member.get(f"/patients/{patient.pk}/delete"))
    services.change_patient(
        actor=SYSTEM, organization_id=organization.id, patient_id=patient.pk, changes={"notes": "important"}
    )
    answer = member.post(f"/patients/{patient.pk}/delete", carried)
    assert "Nothing was deleted" in text_of(answer, 409)
    assert Patient.objects.of(organization.id).exists()
    assert member.post(f"/patients/{patient.pk}/delete", hidden(answer)).status_code == 302


def test_a_patient_whose_id_was_given_away_is_not_restored(member: Client, organization: Organization) -> None:
    patient = add(organization, "Ada", external_id="EHR-1")
    services.delete_patient(actor=SYSTEM, organization_id=organization.id, patient_id=patient.pk)
    add(organization, "Bea", external_id="EHR-1")
    answer = member.post(f"/patients/{patient.pk}/restore")
    assert "another patient has the external id “EHR-1” by now" in text_of(answer, 409)
    Patient.objects.filter(pk=patient.pk).update(deleted_at=timezone.now() - timedelta(days=31))
    assert member.post(f"/patients/{patient.pk}/restore").status_code == 404
    assert "Ada" not in text_of(member.get("/patients/deleted"))


def test_another_organisation_s_patient_is_as_a_missing_one(
    organization: Organization, other_organization: Organization
) -> None:
    patient = make_patient(organization)
    stranger = sign_in(other_organization, "admin")
    events = AuditEvent.objects.count()
    for ending in ("", "/edit", "/delete", "/archives", "/erase"):
        foreign, missing = stranger.get(f"/patients/{patient.pk}{ending}"), stranger.get(f"/patients/{10**17}{ending}")
        assert (foreign.status_code, missing.status_code) == (404, 404), ending
        assert page_text(foreign) == page_text(missing)
    typed = {
        "name": "mine", "version": "1", "consent": "no", "reason": "test_data", "typed": str(patient.pk),
    }  # fmt: skip
    for ending in ("/edit", "/consent", "/delete", "/restore", "/archives", "/erase"):
        assert stranger.post(f"/patients/{patient.pk}{ending}", typed).status_code == 404, ending
    assert stranger.get(f"/patients/{10**30}").status_code == 404
    assert AuditEvent.objects.count() == events
    before = Patient.objects.get()
    assert (before.name, before.consent, before.version, before.deleted_at) == ("canary-name", True, 1, None)
    assert "canary-name" not in text_of(stranger.get("/patients"))
    assert stranger.get(f"/patients?after={patient.pk}").status_code == 400
