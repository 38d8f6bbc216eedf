"""The download of the archive of an organisation that is closing."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts import audit
from apps.accounts.archive_links import archive_of
from apps.accounts.models import User
from helios_site.api.bodies import file_in_time
from helios_site.storage import object_store


def attachment(request: HttpRequest, key: str, filename: str) -> FileResponse:
    """The archive that is stored under `key`, to be saved and kept by nobody on its way. Raises Http404."""
    try:
        with object_store().local_path(key) as path:
            file = open(path, "rb")  # noqa: SIM115 - the response closes it; a path that is gone by then stays readable
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(file, as_attachment=True, filename=filename, content_type="application/zip")
    response["Cache-Control"] = "private, no-store"
    response["Content-Security-Policy"] = "sandbox"
    return file_in_time(request, response)


@require_safe
@login_required
def download(request: HttpRequest) -> FileResponse:
    """For an admin of the organisation who is signed in and has the signed link; nobody else finds anything here."""
    user = request.user
    assert isinstance(user, User)
    organization = archive_of(user, request.GET.get("of", ""))
    if organization is None:
        raise Http404
    response = attachment(request, organization.archive_key, f"helios-{organization.id}-{timezone.now():%Y%m%d}.zip")
    audit.record(
        "organization.archive_downloaded",
        actor=audit.by_user(user),
        organization_id=organization.id,
        object_type="organization",
        object_id=organization.id,
    )
    return response
