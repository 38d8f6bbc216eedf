"""Runs that name a patient: who may, whom, and what becomes of the link."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Organization
from apps.model_runs import services
from apps.model_runs.models import ModelRun
from apps.patients import services as patients
from apps.patients.models import Patient
from tests.conftest import MakeKey
from tests.contract.healos.calls import send, with_key
from tests.contract.healos.notes import make_patient
from tests.contract.healos.patients import PATIENTS
from tests.contract.helios.calls import RUNS, assert_invalid, create, minimal_body, post, read
from tests.model_runs.conftest import MakeRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient(organization: Organization) -> Patient:
    return make_patient(organization, consent=True)


def linked(patient: Patient, **changes: Any) -> dict[str, Any]:
    return minimal_body(patientId=str(patient.pk), **changes)


def patient_of(run_id: str, api: Client) -> Any:
    return read(api, run_id)["extensions"]["patientId"]


def test_a_run_names_a_patient_and_shows_it(api: Client, patient: Patient) -> None:
    run_id = create(api, linked(patient))["id"]
    assert patient_of(run_id, api) == str(patient.pk)
    assert ModelRun.objects.get(id=run_id).patient_id == patient.pk
    assert patient_of(create(api, minimal_body(patientId=None))["id"], api) is None
    assert patient_of(create(api, minimal_body(patientId=patient.pk))["id"], api) == str(patient.pk), "as its text"


def test_patients_that_are_not_there_are_refused_alike(
    api: Client, patient: Patient, other_organization: Organization
) -> None:
    foreign, deleted = make_patient(other_organization, consent=True), make_patient(patient.organization, consent=True)
    send(api, "DELETE", f"{PATIENTS}/{deleted.pk}")
    answers = set()
    for sent in (
        "481926357104938271", str(foreign.pk), str(deleted.pk), f"0{patient.pk}", f" {patient.pk}", "9" * 19, "abc", "",
        5, 1.5, True, [str(patient.pk)], {"id": str(patient.pk)},
    ):  # fmt: skip
        answer = post(api, minimal_body(patientId=sent))
        assert_invalid(answer, ["body", "patientId"], "value_error")
        answers.add(answer.content)
    assert len(answers) == 1
    assert not ModelRun.objects.exists()


def test_without_consent_there_is_no_link(api: Client, organization: Organization) -> None:
    patient = make_patient(organization)
    answer = post(api, linked(patient))
    assert_invalid(answer, ["body", "patientId"], "value_error")
    assert "consent" in answer.json()["detail"][0]["msg"]
    assert not ModelRun.objects.exists()
    Patient.objects.update(consent=True)
    assert create(api, linked(patient))


def test_a_key_that_may_not_read_patients_may_not_name_one(make_key: MakeKey, patient: Patient) -> None:
    key, raw = make_key(scopes=["model_runs:write", "model_runs:read"])
    client = with_key(raw)
    for body in (linked(patient), {"patientId": "x"}):
        answer = post(client, body)
        assert (answer.status_code, answer.json()) == (403, {"detail": "Insufficient scope"})
    refused = AuditEvent.objects.get(action="api_key.refused")
    assert (refused.actor_id, refused.reason) == (str(key.pk), "missing scope: patients:read")
    assert create(client, minimal_body(patientId=None))


def test_the_list_narrows_by_patient(api: Client, other_api: Client, patient: Patient) -> None:
    run_id = create(api, linked(patient))["id"]
    create(api)

    def listed(client: Client, sent: str) -> list[str]:
        return [item["id"] for item in client.get(RUNS, {"patientId": sent}).json()["items"]]

    assert listed(api, str(patient.pk)) == [run_id]
    assert listed(api, "481926357104938271") == listed(api, "9" * 19) == listed(other_api, str(patient.pk)) == []


def test_a_link_outlives_consent_and_deletion_but_not_the_purge(api: Client, patient: Patient) -> None:
    run_id = create(api, linked(patient))["id"]
    path = f"{PATIENTS}/{patient.pk}"
    send(api, "PATCH", path, {"consent": False})
    assert patient_of(run_id, api) == str(patient.pk)
    assert_invalid(post(api, linked(patient)), ["body", "patientId"], "value_error")
    send(api, "DELETE", path)
    assert patient_of(run_id, api) == str(patient.pk)
    Patient.objects.get(pk=patient.pk).delete()
    assert patient_of(run_id, api) is None


def test_erasing_the_inputs_erases_the_link(make_finished: MakeRun, patient: Patient) -> None:
    runs = [
        make_finished(delete_data=True, data_to_delete=(kind,), patient_id=patient.pk) for kind in ("INPUTS", "RESULTS")
    ]
    due = timezone.now() - timedelta(hours=13)
    ModelRun.objects.update(created_at=due, run_at=due, completed_at=due)
    assert services.erase_due_data() == 2
    assert [ModelRun.objects.get(id=run.id).patient_id for run in runs] == [None, patient.pk]


def test_a_run_again_keeps_the_link(make_running: MakeRun, patient: Patient) -> None:
    run = make_running(patient_id=patient.pk)
    ModelRun.objects.update(status="COMPLETE_ERROR", error_code="ERR_INTERNAL", completed_at=timezone.now())
    run.refresh_from_db()
    Patient.objects.update(consent=False)
    assert services.rerun_failed(actor=SYSTEM, run=run).patient_id == patient.pk
    Patient.objects.get(pk=patient.pk).delete()
    assert services.rerun_failed(actor=SYSTEM, run=run).patient_id is None, "by a page that was opened before"


def test_staff_see_the_id_and_never_the_name(admin: Client, make_run: MakeRun, patient: Patient) -> None:
    run = make_run(patient_id=patient.pk)
    page = admin.get(f"/admin/model_runs/modelrun/{run.id}/change/").content.decode()
    assert str(patient.pk) in page
    assert "Maria" not in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", ["withdrawn", "deleted"])
def test_a_link_waits_for_what_is_being_done_to_the_patient(
    make_run: MakeRun, organization: Organization, change: str
) -> None:
    patient = make_patient(organization, consent=True)
    of_patient: dict[str, Any] = {"actor": SYSTEM, "organization_id": organization.id, "patient_id": patient.pk}

    def linking() -> None:
        try:
            make_run(patient_id=patient.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            if change == "withdrawn":
                patients.change_patient(**of_patient, changes={"consent": False})
            else:
                patients.delete_patient(**of_patient)
            attempt = pool.submit(linking)
            until_somebody_waits()
        with pytest.raises(patients.ConsentMissing if change == "withdrawn" else patients.NoSuchPatient):
            attempt.result(timeout=20)
    assert not ModelRun.objects.exists()


def until_somebody_waits() -> None:
    """For a row that this transaction has locked."""
    deadline = time.monotonic() + 20
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
            if cursor.fetchone():
                return
    pytest.fail("nobody waited")
