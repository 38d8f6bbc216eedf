"""`/api/v1/ext-api-keys`: an organisation's admins look after its keys, by their session and never by a key.
`/ext-api/v1/key`: a key asks what it is."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ViewSet

from apps.accounts.models import Organization, User
from apps.api_keys import openapi, services
from apps.api_keys.authentication import CountedMemberAuthentication, OrganizationPrincipal
from apps.api_keys.models import ApiKey
from apps.api_keys.permissions import IsOrganizationAdmin
from apps.api_keys.selectors import KeyRecord
from apps.api_keys.serializers import (
    KeyChangeSerializer,
    KeyCreateSerializer,
    KeyRotationSerializer,
    key_body,
    own_key_body,
    session_body,
)
from helios_site.api.families.healos.errors import Conflict
from helios_site.api.families.healos.pages import page_of, read_page
from helios_site.api.families.healos.view import HealosViewMixin
from helios_site.api.families.idempotency import SecretReply

BY_ITS_ADMIN = "revoked by an admin of the organisation"


@openapi.keys
class ApiKeyViewSet(HealosViewMixin, GenericViewSet):
    """API keys of your organisation. The key itself is shown once, in the reply that issues it."""

    authentication_classes = (CountedMemberAuthentication,)
    permission_classes = (IsOrganizationAdmin,)
    missing_credentials = "Sign in to manage API keys"
    uuid_path_name = "key_id"
    not_found_text = "API key not found"
    serializer_classes: ClassVar[dict[str, type]] = {
        "create": KeyCreateSerializer,
        "partial_update": KeyChangeSerializer,
        "rotate": KeyRotationSerializer,
    }

    def get_serializer_class(self) -> Any:
        return self.serializer_classes.get(self.action, KeyChangeSerializer)

    @property
    def body_may_be_empty(self) -> bool:
        return self.action == "rotate"

    def create(self, request: Request) -> Response:
        organization = Organization.objects.get(id=self.caller.organization_id)
        key, raw_key = services.issue_key(
            actor=self.caller.actor, organization=organization, created_by=self.person, **self.validated(request)
        )
        return SecretReply({"data": key_body(key, raw_key)}, status=201)

    def list(self, request: Request) -> Response:
        page, limit = read_page(request.query_params)
        keys, meta = page_of(self.keys().order_by("-created_at", "-id"), page, limit)
        return Response({"data": [key_body(key) for key in keys], "meta": meta})

    def retrieve(self, request: Request, key_id: str) -> Response:
        return Response({"data": key_body(self.found())})

    def partial_update(self, request: Request, key_id: str) -> Response:
        key, changes = self.found(), self.validated(request, partial=True)
        try:
            changed = services.change_key(actor=self.caller.actor, key_id=key.id, **changes)
        except services.KeyEnded as refusal:
            raise Conflict(str(refusal)) from None
        return Response({"data": key_body(changed)})

    def destroy(self, request: Request, key_id: str) -> Response:
        revoked, _ = services.revoke_key(
            actor=self.caller.actor, key_id=self.found().id, reason=BY_ITS_ADMIN, revoked_by=self.person
        )
        return Response({"data": key_body(revoked), "message": "API key revoked"})

    @openapi.rotation
    def rotate(self, request: Request, key_id: str) -> Response:
        old = self.found()
        grace_seconds = self.validated(request)["grace_period_seconds"]
        try:
            key, raw_key = services.rotate_key(
                actor=self.caller.actor, key_id=old.id, grace_seconds=grace_seconds, created_by=self.person
            )
        except services.KeyEnded as refusal:
            raise Conflict(str(refusal)) from None
        return SecretReply({"data": key_body(key, raw_key)}, status=201)

    # -- What each of them needs ------------------------------------------------------------------------

    @property
    def person(self) -> User | None:
        return cast(OrganizationPrincipal, self.request.user).user

    def keys(self) -> QuerySet[ApiKey]:
        return ApiKey.objects.filter(organization_id=self.caller.organization_id)

    def found(self) -> ApiKey:
        """The organisation's key of the path; another organisation's is as absent as one that never was."""
        key = self.keys().filter(id=self.path_id).first()
        if key is None:
            raise self.not_found()
        return key

    def validated(self, request: Request, *, partial: bool = False) -> dict[str, Any]:
        serializer = self.get_serializer(data=self.read_body(request), partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


@openapi.own_key
class OwnKeyViewSet(HealosViewMixin, ViewSet):
    """The calling key: what it may do, until when, from where and how often. In the browsable API, your session."""

    any_scope = True

    def retrieve(self, request: Request) -> Response:
        caller, (_, rate) = request.auth, self.rate_limit_of(request)
        if isinstance(caller, KeyRecord):
            return Response({"data": own_key_body(caller, rate)})
        ends_at = request._request.session.get_expiry_date()
        person = cast(OrganizationPrincipal, request.user).user
        return Response({"data": session_body(str(person), self.caller.scopes, ends_at, rate)})
