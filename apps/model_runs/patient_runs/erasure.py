"""The erasure of a person: the patient, all that is kept of it, and its runs, in one transaction."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from apps.accounts import audit
from apps.model_runs.models import ModelRun
from apps.model_runs.services import announcing
from apps.patients.services import erase_patient, hold_patient
from apps.webhooks.services import forget_deliveries
from helios_site.api.families.idempotency import forget
from helios_site.deadlocks import again_after_deadlock
from helios_site.storage.removal import remove_after_commit

REASONS = ("subject_request", "consent_withdrawn", "test_data")


class RunsAreLinked(Exception):
    """The patient has runs, which the caller must not erase."""


def has_runs(organization_id: UUID, patient_id: int) -> bool:
    """Whether runs are linked to the patient, in any state."""
    return ModelRun.objects.filter(organization_id=organization_id, patient_id=patient_id).exists()


@again_after_deadlock  # the purge of deleted patients locks a patient first, and then its runs
@transaction.atomic
def erase_person(*, actor: audit.Actor, organization_id: UUID, patient_id: int, reason: str, with_runs: bool) -> bool:
    """Erase a patient, deleted or not; False when it is not there. Raises RunsAreLinked without `with_runs`, and
    nothing is erased then.

    Files go once this has committed: those that the store does not take then, a job removes. Whoever has one of the
    runs at this moment, be it an upload or a worker, finds no row to end. One row of the audit trail stays.
    """
    # Runs before the patient: what ends a run locks it first, and then, for its note, the patient.
    _locked_runs(organization_id, patient_id)
    if not hold_patient(organization_id=organization_id, patient_id=patient_id):
        return False
    runs = _locked_runs(organization_id, patient_id)  # once more, for what was linked before the patient was held
    if runs and not with_runs:
        raise RunsAreLinked
    ModelRun.objects.filter(id__in=runs).delete()
    gone = erase_patient(actor=actor, organization_id=organization_id, patient_id=patient_id, reason=reason)
    remove_after_commit([*runs.values(), *gone.storage_keys])
    forget(organization_id, [*runs, *gone.object_ids])
    forget_deliveries(organization_id=organization_id, object_ids=[*runs, *gone.document_ids])
    announcing.erased(organization_id, runs)
    return True


def _locked_runs(organization_id: UUID, patient_id: int) -> dict[UUID, str]:
    """The keys of their recordings, by their ids."""
    runs = ModelRun.objects.filter(organization_id=organization_id, patient_id=patient_id)
    return dict(runs.select_for_update(of=("self",)).order_by("id").values_list("id", "recording_key"))
