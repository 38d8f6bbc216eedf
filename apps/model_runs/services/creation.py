"""Creating, reading and deleting runs on behalf of a caller."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import audit
from apps.model_runs.models import ModelRun, Status
from apps.model_runs.queue import ring_on_commit
from apps.model_runs.services import announcing, trail
from apps.model_runs.wellness.interface import ErrorCode
from apps.patients import services as patients
from helios_site.api.families.idempotency import forget
from helios_site.storage import object_store


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What the caller says of the person and the recording; names are those of ModelRun's fields."""

    user_label: str
    date_of_birth: date | None
    birth_sex: str
    language: str
    accent: str | None = None
    sleep_time: str | None = None
    wake_time: str | None = None
    recording_time: str | None = None
    tags: tuple[dict[str, str], ...] = ()
    delete_data: bool = False
    data_to_delete: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    patient_id: int | None = None
    return_url: str = ""  # where the hosted activity leads when it is over


class AlreadyCreated(Exception):
    """There is a run of that id."""


class CannotRerun(Exception):
    """The message says why, for staff."""


def new_recording_key(run: ModelRun) -> str:
    """A fresh key for each write, so that two uploads to one run never touch the same object."""
    return f"{run.organization_id}/{run.id}/{uuid4().hex}"


def run_of_recording(key: str) -> UUID:
    return UUID(key.split("/")[1])


def create_run(
    *,
    actor: audit.Actor,
    organization_id: UUID,
    key_id: UUID | None,
    request: RunRequest,
    good_for_seconds: int | None = None,
    run_id: UUID | None = None,
) -> ModelRun:
    """A run that takes its recording for `good_for_seconds`, or as long as uploads are taken. `run_id` is for callers
    who may ask again for the same run.

    Raises NoSuchPatient and ConsentMissing of `apps.patients.services` for a run that is to be linked, and
    AlreadyCreated where there is a run of that id."""
    now = timezone.now()
    good_for = good_for_seconds or settings.HELIOS_UPLOAD_URL_TTL_SECONDS
    fields = asdict(request)
    for name in ("tags", "data_to_delete", "warnings"):
        fields[name] = list(fields[name])
    run = ModelRun(
        id=run_id or uuid4(),
        organization_id=organization_id,
        created_by_key_id=key_id,
        created_at=now,
        upload_expires_at=now + timedelta(seconds=good_for),
        **fields,
    )
    try:
        with transaction.atomic():
            if request.patient_id is not None:
                patients.lock_for_new_link(organization_id=organization_id, patient_id=request.patient_id)
            run.save(force_insert=True)
            trail.record("created", actor=actor, organization_id=organization_id, run_id=run.id)
    except IntegrityError:
        if run_id is not None and ModelRun.objects.filter(id=run_id).exists():
            raise AlreadyCreated from None
        raise
    return run


def record_consent(*, run_id: UUID, version: str) -> ModelRun | None:
    """Keep that the person agreed to this version of the consent text, and when first; None when the run waits for no
    recording any more."""
    with transaction.atomic():
        run = ModelRun.objects.select_for_update().filter(id=run_id, status=Status.CREATED).first()
        if run is None:
            return None
        if run.consent_version == version:
            return run
        run.consent_version, run.consented_at = version, timezone.now()
        run.save(update_fields=["consent_version", "consented_at"])
        trail.record("consent_given", organization_id=run.organization_id, run_id=run.id, reason=f"version {version}")
    return run


def record_read(*, actor: audit.Actor, organization_id: UUID, run_id: UUID | None) -> None:
    """Audit that a caller read one run, or a list of them."""
    trail.record("listed" if run_id is None else "read", actor=actor, organization_id=organization_id, run_id=run_id)


def delete_run(*, actor: audit.Actor, organization_id: UUID, run_id: UUID) -> bool:
    """Erase a run in any state; False when it is not there. A worker that still has it finds no row to finish."""
    with transaction.atomic():
        # The lock makes an upload or a finish that runs at the same time either come before, and be erased,
        # or come after, and find nothing.
        run = (
            ModelRun.objects.visible_to(organization_id)
            .select_for_update()
            .only("id", "organization_id", "user_label", "recording_key", "patient_id")
            .filter(id=run_id)
            .first()
        )
        if run is None:
            return False
        key = run.recording_key
        remove_runs([run_id])
        patients.withdraw_exports([run.patient_id])
        trail.record("deleted", actor=actor, organization_id=organization_id, run_id=run_id)
        announcing.deleted(run)
        forget(organization_id, [run_id])
        if key:
            # Should this fail after the commit, `remove_leftovers` finds an object that no row names.
            transaction.on_commit(lambda: object_store().delete(key), robust=True)
    return True


def remove_runs(run_ids: Collection[UUID]) -> None:
    """Remove rows that the caller has locked, and the notes that came of them."""
    patients.remove_notes_of_runs(run_ids=run_ids)
    ModelRun.objects.filter(id__in=run_ids).delete()


def rerun_failed(*, actor: audit.Actor, run: ModelRun) -> ModelRun:
    """Run a recording again that failed inside the service. The failed run stays as it is, since a terminal
    state never changes; a new run takes its inputs and a copy of its recording. Raises CannotRerun."""
    if run.status != Status.COMPLETE_ERROR or run.error_code != ErrorCode.INTERNAL:
        raise CannotRerun("Only runs that ended in ERR_INTERNAL can be run again.")
    if not run.recording_key:
        raise CannotRerun("Its recording is no longer stored.")
    now = timezone.now()
    again = ModelRun(
        organization_id=run.organization_id,
        created_by_key_id=run.created_by_key_id,
        patient_id=run.patient_id,
        rerun_of=run.id,
        status=Status.RUNNING,
        created_at=now,
        upload_expires_at=now,
        run_at=now,
        enqueued_at=now,
        recording_sha256=run.recording_sha256,
        recording_bytes=run.recording_bytes,
        **{name: getattr(run, name) for name in _INPUTS},
    )
    again.recording_key = new_recording_key(again)
    try:
        object_store().copy(run.recording_key, again.recording_key)
    except FileNotFoundError:
        raise CannotRerun("Its recording is no longer stored.") from None
    kept = False
    try:
        _keep_again(actor, run, again)
        kept = True
    finally:
        if not kept:
            object_store().delete(again.recording_key)
    return again


def _keep_again(actor: audit.Actor, run: ModelRun, again: ModelRun) -> None:
    with transaction.atomic():
        # What was erased while its recording was copied must not come back. The run first, as where a person is erased.
        still = ModelRun.objects.select_for_update().filter(id=run.id).exclude(recording_key="").first()
        if still is None or still.erased_at is not None:
            raise CannotRerun("It was erased meanwhile.")
        # A link stays, whatever became of the consent, as long as there is a patient.
        again.patient_id = still.patient_id
        if still.patient_id is not None and not patients.hold_patient(
            organization_id=run.organization_id, patient_id=still.patient_id
        ):
            again.patient_id = None
        again.save(force_insert=True)
        trail.record(
            "rerun", actor=actor, organization_id=run.organization_id, run_id=again.id, reason=f"again for {run.id}"
        )
        ring_on_commit(again.id)


_INPUTS = (
    "user_label",
    "date_of_birth",
    "birth_sex",
    "language",
    "accent",
    "sleep_time",
    "wake_time",
    "recording_time",
    "tags",
    "delete_data",
    "data_to_delete",
)
