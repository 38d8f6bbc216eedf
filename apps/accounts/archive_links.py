"""Links to the archive of an organisation that is closing: signed, for its admins alone, good until the erasure."""

from __future__ import annotations

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Membership, Organization, User

_SALT = "archive of an organisation"


def closings_of(user: User) -> list[Organization]:
    """The organisations that are closing and that this user may reopen, the first to be erased first."""
    return list(
        Organization.objects.filter(
            memberships__user=user,
            memberships__role=Membership.Role.ADMIN,
            closing_at__gt=timezone.now(),
            closed_at__isnull=True,
        ).order_by("closing_at", "id")
    )


def archive_url(organization: Organization) -> str:
    """The absolute, signed URL of the archive, for an admin who is signed in; it is good for this closing alone."""
    assert organization.closing_at is not None
    token = Signer(salt=_SALT).sign(f"{organization.id}:{organization.closing_at.timestamp()}")
    return f"{settings.HELIOS_PUBLIC_BASE_URL}{reverse('organization-archive')}?of={token}"


def archive_of(user: User, token: str) -> Organization | None:
    """The organisation whose archive the link is good for; None for an altered or old link, one to an archive that is
    not made yet, and for everybody but an admin of the organisation."""
    try:
        identifier, _, moment = Signer(salt=_SALT).unsign(token).partition(":")
    except BadSignature:
        return None
    found = (one for one in closings_of(user) if str(one.id) == identifier and one.archive_key)
    return next((one for one in found if one.closing_at and str(one.closing_at.timestamp()) == moment), None)
