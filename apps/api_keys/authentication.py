"""Who is calling: an API key in `x-api-key`, or, in the browsable API, a signed-in member of an organisation."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import ClassVar, NamedTuple, NoReturn

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from apps.accounts import audit
from apps.accounts import selectors as accounts
from apps.accounts.models import Membership, User
from apps.api_keys import limits, refusals, services, tokens
from apps.api_keys.scopes import EVERYTHING, MEMBER_SCOPES
from apps.api_keys.selectors import KeyRecord, find_record
from helios_site.api import ratelimit
from helios_site.api.after_response import after_response
from helios_site.api.client_address import bucket_of, client_address
from helios_site.env import Rate

AUTHENTICATE_HEADER = "ApiKey"


@dataclass(frozen=True, slots=True)
class OrganizationPrincipal:
    """`request.user` of every API call: the organisation, and the person if a session stands behind the call."""

    organization_id: uuid.UUID
    organization_name: str
    user: User | None = None

    pk: ClassVar[None] = None
    is_authenticated: ClassVar[bool] = True
    is_active: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False

    def __str__(self) -> str:
        return self.organization_name if self.user is None else f"{self.user} ({self.organization_name})"


class MemberRecord(NamedTuple):
    """`request.auth` of a call by a signed-in member: what a KeyRecord is for a call with a key."""

    organization_id: uuid.UUID
    organization_name: str
    plan: str
    helios_lenient_user: bool
    scopes: frozenset[str]
    actor: audit.Actor
    user_id: uuid.UUID
    is_admin: bool
    key_id: None = None

    @classmethod
    def of(cls, membership: Membership, user: User) -> MemberRecord:
        organization = membership.organization
        is_admin = membership.role == Membership.Role.ADMIN
        return cls(
            organization_id=organization.id,
            organization_name=organization.name,
            plan=organization.plan,
            helios_lenient_user=organization.helios_lenient_user,
            scopes=frozenset({EVERYTHING}) if is_admin else MEMBER_SCOPES,
            actor=audit.by_user(user),
            user_id=user.pk,
            is_admin=is_admin,
        )

    @property
    def bucket(self) -> str:
        return f"member:{self.organization_id}:{self.user_id}"

    def rate(self, default: Rate) -> Rate:
        return limits.of_plan(self.plan, default)

    def record_replay(self, object_id: str) -> None:
        audit.record_replay(actor=self.actor, organization_id=self.organization_id, object_id=object_id)


class ApiKeyAuthentication(BaseAuthentication):
    """The key in `x-api-key`, and nowhere else.

    A malformed key costs no query; a well-formed one costs exactly one, whether it is known, revoked, expired
    or unknown. Nothing is cached, so a revocation holds from the next request on, in every process.
    """

    def authenticate(self, request: Request) -> tuple[OrganizationPrincipal, KeyRecord]:
        """Raises NotAuthenticated without a key, AuthenticationFailed for a refused one, Throttled instead of
        either when too many calls from this address were refused."""
        http_request = request._request
        raw_key = http_request.META.get("HTTP_X_API_KEY", "")
        if not raw_key:
            _refuse(http_request, exceptions.NotAuthenticated())
        if not tokens.is_well_formed(raw_key):
            _refuse(http_request, exceptions.AuthenticationFailed())
        digests = tokens.digests(raw_key)
        key = find_record(digests)
        if key is None:
            _refuse(http_request, exceptions.AuthenticationFailed())
        address = client_address(http_request)
        now = timezone.now()
        reason = refusals.refusal(key, now, address)
        if reason is not None:
            refusals.report(http_request, key, reason)
            _refuse(http_request, exceptions.AuthenticationFailed())
        if key.last_used_at is None or now - key.last_used_at >= timedelta(seconds=settings.API_KEY_LAST_USED_SECONDS):
            after_response(http_request, partial(services.touch_last_used, key.id, address=address, now=now))
        if bytes(key.digest) != digests[0]:
            after_response(http_request, partial(services.renew_digest, key.id, digest=digests[0]))
        http_request.api_key = key  # type: ignore[attr-defined]  # for the access log
        return OrganizationPrincipal(key.organization_id, key.organization_name), key

    def authenticate_header(self, request: Request) -> str:
        return AUTHENTICATE_HEADER


class MemberAuthentication(SessionAuthentication):
    """The session of a member of an organisation, with CSRF."""

    def authenticate(self, request: Request) -> tuple[OrganizationPrincipal, MemberRecord]:
        """Raises NotAuthenticated without a session, PermissionDenied for a user without an organisation or
        when CSRF fails."""
        user = getattr(request._request, "user", None)
        if not isinstance(user, User) or not user.is_active:
            raise exceptions.NotAuthenticated
        self.enforce_csrf(request)
        membership = accounts.current_membership(user, request._request.session)
        if membership is None:
            raise exceptions.PermissionDenied(accounts.why_no_organization(user))
        member = MemberRecord.of(membership, user)
        return OrganizationPrincipal(member.organization_id, member.organization_name, user), member

    def enforce_csrf(self, request: Request) -> None:
        """Looks for a token in the header or in a form; a JSON body is left to the view, which says what is wrong."""
        super().enforce_csrf(request._request)  # type: ignore[arg-type]

    def authenticate_header(self, request: Request) -> str:
        return "Session"  # without a header DRF would answer 403 to somebody who is not signed in


class CountedMemberAuthentication(MemberAuthentication):
    """The same outside the browsable API: who has no session is counted against the address, as without a key."""

    def authenticate(self, request: Request) -> tuple[OrganizationPrincipal, MemberRecord]:
        """Raises Throttled, too, when too many calls from this address were refused."""
        try:
            return super().authenticate(request)
        except exceptions.NotAuthenticated as error:
            _refuse(request._request, error)


def _refuse(request: HttpRequest, error: exceptions.APIException) -> NoReturn:
    """Count the refused call against its address. A valid key never comes here, so it is never blocked by it."""
    bucket = ratelimit.refused_calls_bucket(bucket_of(client_address(request)))
    decision = ratelimit.charge(bucket, settings.RATE_LIMIT_FAILED_AUTH)
    request.rate_limit = decision  # type: ignore[attr-defined]
    if not decision.allowed:
        raise exceptions.Throttled(wait=decision.retry_after)
    raise error
