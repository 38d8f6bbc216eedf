"""The link to the page of one run, and whose pages may show it."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings

from apps.accounts.models import Organization
from apps.model_runs.models import ModelRun
from apps.model_runs.signed_links import ACTIVITY, UPLOAD, signed_query


def activity_url(run: ModelRun) -> str:
    """The absolute, signed address of the page; built from the public base URL, never from `Host`. It ends when the run
    takes no recording any more."""
    query = signed_query(ACTIVITY, run.id, _end(run))
    return f"{settings.HELIOS_PUBLIC_BASE_URL}/activity/{run.id}?{query}"


def consent_path(run: ModelRun) -> str:
    """Where the page says that the person agreed, as seen from the page itself."""
    return f"{run.id}/consent?{signed_query(ACTIVITY, run.id, _end(run))}"


def upload_path(run: ModelRun) -> str:
    """The run's upload URL, as seen from the page: it works behind whatever address the page was opened at."""
    return f"../uploads/{run.id}?{signed_query(UPLOAD, run.id, _end(run))}"


def allowed_origins(organization: Organization) -> tuple[str, ...]:
    """Whose pages may show the activity in a frame, and where it may return to."""
    return tuple(organization.activity_origins) or settings.HELIOS_ACTIVITY_FRAME_ANCESTORS


def origins_of(organization_id: UUID) -> tuple[str, ...]:
    return allowed_origins(Organization.objects.only("activity_origins").get(id=organization_id))


def _end(run: ModelRun) -> int:
    return int(run.upload_expires_at.timestamp())
