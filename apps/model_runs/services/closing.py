"""What becomes of the data of an organisation that closes: an archive for its admins, and in the end the erasure."""

from __future__ import annotations

import time
from uuid import UUID, uuid4

import structlog
from django.db import connection, transaction
from django.utils import timezone

from apps.accounts import closing as accounts
from apps.accounts.models import Organization
from apps.api_keys.services import forget_keys
from apps.model_runs.archive import write_archive
from apps.model_runs.models import ModelRun
from apps.model_runs.services.creation import remove_runs
from apps.patients.services import erase_patients
from apps.webhooks.services import forget_endpoints
from helios_site.alone import alone
from helios_site.api.families.idempotency import forget_all
from helios_site.bell import ring
from helios_site.storage import StorageFull, object_store

log = structlog.get_logger(__name__)

BATCH = 200
BUSY_SECONDS = 10.0  # of the worker that the sweeper needs, too
ARCHIVES = "archives"


def look_after_closings(*, busy_seconds: float = BUSY_SECONDS) -> None:
    """Have the archives made that are missing, and erase what is due until the time is up; the next call goes on."""
    until = time.monotonic() + busy_seconds
    closing = Organization.objects.filter(closing_at__isnull=False, closed_at__isnull=True).order_by("closing_at")
    for organization in closing:
        if organization.closing_at is None or organization.closing_at > timezone.now():
            if not organization.archive_key:
                ring(accounts.EXPORT, str(organization.id))
        elif not _erase(organization, until):
            return


def export_organization(*, organization_id: UUID) -> bool:
    """Make the archive of an organisation that is closing; False when there is one, when it is not closing, when it is
    too late, or while another worker makes it. An archive that cannot be written whole is not kept."""
    with alone(f"archive {organization_id}") as is_alone:
        organization = Organization.objects.get(id=organization_id)
        closing_at = organization.closing_at
        if not is_alone or closing_at is None or closing_at <= timezone.now() or organization.archive_key:
            return False
        key = f"{organization_id}/{ARCHIVES}/{uuid4().hex}"
        try:
            with object_store().writer(key) as writer:
                content = write_archive(organization, writer.write)
                writer.commit()
        except StorageFull:
            log.error("storage_full", organization_id=str(organization_id))
            return False
        named = False
        try:
            named = accounts.name_archive(
                organization_id=organization_id, closing_at=closing_at, key=key, content=content
            )
        finally:
            if not named:
                object_store().delete(key)
    return named


def is_archive(key: str) -> bool:
    """Whether an object in the storage is an archive, and no recording."""
    return key.split("/")[1] == ARCHIVES


def archives_in_use(keys: list[str]) -> set[str]:
    """Those of these archives that an organisation's admins may still get."""
    found = Organization.objects.filter(archive_key__in=[key for key in keys if is_archive(key)])
    return set(found.values_list("archive_key", flat=True))


def _erase(organization: Organization, until: float) -> bool:
    """Erase all of an organisation whose time is over; False when there was not enough time, and something is left."""
    while _erase_some_runs(organization):
        if time.monotonic() >= until:
            return False
    if not erase_patients(organization_id=organization.id, until=until):
        return False
    if organization.archive_key:
        object_store().delete(organization.archive_key)
    with transaction.atomic():
        forget_keys(organization=organization)
        forget_endpoints(organization_id=organization.id)
        forget_all(organization.id)
        with connection.cursor() as cursor:
            # Each row protects the one before it, which Django's own delete takes for an obstacle.
            cursor.execute(
                "DELETE FROM model_runs_wellnessmodelactivation WHERE organization_id = %s", [organization.id]
            )
        accounts.forget_organization(organization_id=organization.id, reason="its time to be reopened was over")
    return True


def _erase_some_runs(organization: Organization) -> int:
    """Runs in any state, as a worker that still has one finds no row to finish."""
    with transaction.atomic():
        runs = list(
            ModelRun.objects.select_for_update()
            .filter(organization=organization)
            .order_by("id")
            .values_list("id", "recording_key")[:BATCH]
        )
        for _, key in runs:
            if key:
                # Before the row forgets the key: a failing store leaves the run due, and the next tick tries again.
                object_store().delete(key)
        remove_runs([run_id for run_id, _ in runs])
    return len(runs)
