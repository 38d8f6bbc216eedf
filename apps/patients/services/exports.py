"""The life of an archive of a patient: asked for, made by a worker, kept for some days, removed.

The row is the truth, and the broker only a bell. What makes the archive knows the runs of the patient, too, and is in
`apps.model_runs`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from apps.accounts import audit
from apps.patients.models import Patient, PatientExport
from apps.patients.selectors import EXPORTS
from apps.patients.services import trail
from apps.patients.services.erasure import remove_some
from helios_site.bell import ring, ring_on_commit

EXPORT = "helios.runs.export_patient"
MAX_TRIES = 5
MOST_READY = 3  # archives of one patient; an older one expires when a new one is ready
GAP = timedelta(minutes=2)  # until a job asks again for what is not made; doubles with each try

Status = PatientExport.Status


def request_export(*, actor: audit.Actor, organization_id: UUID, patient_id: int) -> PatientExport | None:
    """The pending archive of a patient, a new one where none is pending; None when the patient is not there."""
    with transaction.atomic():
        # Two who ask at once take turns here.
        patients = Patient.objects.of(organization_id).select_for_update(no_key=True)
        if patients.filter(id=patient_id).first() is None:
            return None
        export = PatientExport.objects.filter(patient_id=patient_id, status=Status.PENDING).first()
        if export is None:
            export = PatientExport.objects.create(
                organization_id=organization_id, patient_id=patient_id, due_at=timezone.now() + GAP
            )
        _record("export_requested", export, actor)
        ring_on_commit(EXPORT, str(export.id))
    return export


def begin_export(*, export_id: UUID) -> PatientExport | None:
    """Count a try to make it; None when it is not pending, or its patient was deleted meanwhile."""
    begun = PatientExport.objects.filter(
        id=export_id, status=Status.PENDING, tries__lt=MAX_TRIES, patient__deleted_at__isnull=True
    ).update(tries=F("tries") + 1, due_at=timezone.now() + GAP * 2**MAX_TRIES, is_outdated=False)
    return PatientExport.objects.select_related("patient__organization").get(id=export_id) if begun else None


def give_up_try(*, export_id: UUID) -> None:
    """It could not be made now: the job asks again, later after each try."""
    for export in PatientExport.objects.filter(id=export_id, status=Status.PENDING):
        due_at = timezone.now() + GAP * 2**export.tries
        PatientExport.objects.filter(id=export_id, status=Status.PENDING).update(due_at=due_at)


@transaction.atomic
def finish_export(*, export_id: UUID, key: str, holds_runs: bool) -> bool:
    """Let it be downloaded from `key`; False when it was erased meanwhile, made by another worker, or may hold what was
    removed meanwhile."""
    if not PatientExport.objects.filter(id=export_id, status=Status.PENDING, is_outdated=False).update(
        status=Status.READY, storage_key=key, due_at=None, expires_at=_end(), holds_runs=holds_runs
    ):
        return False
    export = PatientExport.objects.get(id=export_id)
    ready = _ready([export.patient_id])
    newest = list(ready.order_by("-created_at").values_list("id", flat=True)[:MOST_READY])
    ready.exclude(id__in=newest).update(expires_at=timezone.now())
    _record("exported", export)
    return True


@transaction.atomic
def withdraw_exports(patient_ids: Iterable[int | None]) -> None:
    """Let no archive of these patients be had any more, in the transaction that removes something which may be in it.
    One that is just being made is made once more. Who erases a run locks it before."""
    ids = {patient_id for patient_id in patient_ids if patient_id is not None}
    if not ids:
        return
    # Who asks for a new archive waits until what is being removed is gone.
    list(Patient.objects.filter(id__in=ids, deleted_at=None).select_for_update(no_key=True).order_by("id").values("id"))
    PatientExport.objects.filter(patient_id__in=ids, status=Status.PENDING).update(is_outdated=True)
    _ready(ids).update(expires_at=timezone.now())  # second, for one that became ready while the first waited for it


def look_after_exports() -> dict[str, int]:
    """Ask again for the archives that are missing, and remove those whose time is over; how many of each."""
    now = timezone.now()
    due = PatientExport.objects.filter(status=Status.PENDING, due_at__lte=now)
    for export in due.filter(Q(tries__gte=MAX_TRIES) | Q(patient__deleted_at__isnull=False)):
        _fail(export.id)
    ids = list(due.values_list("id", flat=True))
    PatientExport.objects.filter(id__in=ids, status=Status.PENDING).update(due_at=now + GAP)
    for export_id in ids:
        ring(EXPORT, str(export_id))
    expired = remove_some(PatientExport.objects.filter(expires_at__lte=now))
    return {"asked_for": len(ids), "expired": len(expired)}


@transaction.atomic
def _fail(export_id: UUID) -> None:
    if PatientExport.objects.filter(id=export_id, status=Status.PENDING).update(
        status=Status.FAILED, due_at=None, expires_at=_end()
    ):
        _record("export_failed", PatientExport.objects.get(id=export_id))


def new_export_key(export: PatientExport) -> str:
    """A fresh key for each try, so that two workers never touch the same object."""
    return f"{export.organization_id}/{EXPORTS}/{export.id}/{uuid4().hex}"


def record_export(verb: str, export: PatientExport, *, actor: audit.Actor = audit.SYSTEM) -> None:
    """Audit that somebody looked at it, or downloaded it: `export_read`, `export_downloaded`."""
    _record(verb, export, actor)


def _record(verb: str, export: PatientExport, actor: audit.Actor = audit.SYSTEM) -> None:
    trail.record(
        "patient",
        verb,
        actor=actor,
        organization_id=export.organization_id,
        object_id=export.patient_id,
        reason=f"export {export.id}",
    )


def _ready(patient_ids: Iterable[int]) -> QuerySet[PatientExport]:
    """The archives of these patients that can be had."""
    ready = PatientExport.objects.filter(patient_id__in=patient_ids, status=Status.READY)
    return ready.filter(expires_at__gt=timezone.now())


def _end() -> object:
    return timezone.now() + timedelta(days=settings.HEALOS_EXPORT_DAYS)
