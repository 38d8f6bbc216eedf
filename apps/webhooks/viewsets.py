"""Webhooks over HTTP, in the Helios dialect."""

from __future__ import annotations

from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.viewsets import GenericViewSet

from apps.webhooks import openapi, selectors, services
from apps.webhooks.models import WebhookDelivery
from apps.webhooks.serializers import (
    DELIVERY_FIELDS,
    ENDPOINT_FIELDS,
    WebhookCreateSerializer,
    delivery_body,
    endpoint_body,
    endpoint_row,
)
from helios_site.api.families.helios.errors import Invalid
from helios_site.api.families.helios.fields import moment
from helios_site.api.families.helios.query import page, read_cursor, read_limit
from helios_site.api.families.helios.view import HeliosViewMixin
from helios_site.api.families.idempotency import SecretReply

DISABLED = Invalid(("path", "webhook_id"), "value_error", "the webhook is disabled; nothing is sent to it")


@openapi.webhooks
class WebhookViewSet(HeliosViewMixin, GenericViewSet):
    """Webhooks: URLs of yours that are told when a run ends, is erased, or a key is revoked."""

    scope_resource = "webhooks"
    uuid_path_names = ("webhook_id",)
    serializer_class = WebhookCreateSerializer

    def create(self, request: Request) -> Response:
        serializer = WebhookCreateSerializer(data=self.read_body(request))
        serializer.is_valid(raise_exception=True)
        try:
            endpoint, secret = services.create_endpoint(
                actor=self.caller.actor, organization_id=self.caller.organization_id, **serializer.validated_data
            )
        except services.TooMany as error:
            raise Invalid(("body",), "value_error", str(error)) from None
        return SecretReply({**endpoint_body(endpoint_row(endpoint)), "secret": secret})

    def list(self, request: Request) -> Response:
        limit, after = read_limit(request.query_params), read_cursor(request.query_params)
        endpoints = selectors.list_endpoints(self.caller.organization_id)
        rows, next_cursor = page(endpoints.values(*ENDPOINT_FIELDS), after, limit)
        return Response({"items": [endpoint_body(row) for row in rows], "nextCursor": next_cursor})

    def retrieve(self, request: Request, webhook_id: str) -> Response:
        endpoints = selectors.list_endpoints(self.caller.organization_id)
        row = endpoints.filter(id=self.path_ids["webhook_id"]).values(*ENDPOINT_FIELDS).first()
        if row is None:
            raise NotFound
        return Response(endpoint_body(row))

    def destroy(self, request: Request, webhook_id: str) -> Response:
        endpoint_id = self.path_ids["webhook_id"]
        if not services.delete_endpoint(
            actor=self.caller.actor, organization_id=self.caller.organization_id, endpoint_id=endpoint_id
        ):
            raise NotFound
        return Response({"id": str(endpoint_id), "deleted": True})


class _ActionViewSet(HeliosViewMixin, GenericViewSet):
    """What is done to one webhook, or read of it."""

    scope_resource = "webhooks"
    uuid_path_names = ("webhook_id", "delivery_id")
    serializer_class = Serializer  # of no fields: the browsable API shows a button alone


@openapi.rotation
class WebhookRotationViewSet(_ActionViewSet):
    """A new secret for a webhook; for a day the one before signs too."""

    def create(self, request: Request, webhook_id: str) -> Response:
        endpoint_id = self.path_ids["webhook_id"]
        try:
            rotated = services.rotate_secret(
                actor=self.caller.actor, organization_id=self.caller.organization_id, endpoint_id=endpoint_id
            )
        except services.TooMany as error:
            raise Invalid(("path", "webhook_id"), "value_error", str(error)) from None
        if rotated is None:
            raise NotFound
        secret, ends_at = rotated
        return SecretReply({"id": str(endpoint_id), "secret": secret, "previousSecretEndsAt": moment(ends_at)})


@openapi.enabling
class WebhookEnablingViewSet(_ActionViewSet):
    """A webhook that was disabled is sent events again."""

    def create(self, request: Request, webhook_id: str) -> Response:
        endpoints = selectors.list_endpoints(self.caller.organization_id)
        endpoint = endpoints.filter(id=self.path_ids["webhook_id"]).first()
        if endpoint is None:
            raise NotFound
        services.enable_endpoint(actor=self.caller.actor, endpoint_id=endpoint.id, reason=services.BY_THE_ORGANIZATION)
        endpoint.refresh_from_db()
        return Response(endpoint_body(endpoint_row(endpoint)))


@openapi.test
class WebhookTestViewSet(_ActionViewSet):
    """One event of the type `webhook.test`, tried once."""

    def create(self, request: Request, webhook_id: str) -> Response:
        try:
            delivery = services.send_test(
                actor=self.caller.actor,
                organization_id=self.caller.organization_id,
                endpoint_id=self.path_ids["webhook_id"],
            )
        except services.EndpointDisabled:
            raise DISABLED from None
        return _answer(delivery)


@openapi.deliveries
class WebhookDeliveryViewSet(_ActionViewSet):
    """What was sent to a webhook, and what it answered."""

    def list(self, request: Request, webhook_id: str) -> Response:
        limit, after = read_limit(request.query_params), read_cursor(request.query_params)
        endpoints = selectors.list_endpoints(self.caller.organization_id)
        if not endpoints.filter(id=self.path_ids["webhook_id"]).exists():
            raise NotFound
        deliveries = selectors.list_deliveries(self.path_ids["webhook_id"])
        rows, next_cursor = page(deliveries.values(*DELIVERY_FIELDS), after, limit)
        items = [delivery_body(WebhookDelivery(**row)) for row in rows]
        return Response({"items": items, "nextCursor": next_cursor})


@openapi.resend
class WebhookResendViewSet(_ActionViewSet):
    """One event sent again, under the same `webhook-id`."""

    def create(self, request: Request, webhook_id: str, delivery_id: str) -> Response:
        try:
            delivery = services.resend_delivery(
                actor=self.caller.actor,
                organization_id=self.caller.organization_id,
                endpoint_id=self.path_ids["webhook_id"],
                delivery_id=self.path_ids["delivery_id"],
            )
        except services.EndpointDisabled:
            raise DISABLED from None
        return _answer(delivery)


def _answer(delivery: WebhookDelivery | None) -> Response:
    if delivery is None:
        raise NotFound
    return Response(delivery_body(delivery))
