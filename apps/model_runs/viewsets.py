"""Helios model runs over HTTP."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from rest_framework.exceptions import NotFound, Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ViewSet

from apps.api_keys.scopes import allows
from apps.model_runs import openapi, selectors, services, uploads
from apps.model_runs.creating import create_from_body
from apps.model_runs.filters import narrowed
from apps.model_runs.models import Status
from apps.model_runs.serializers import ModelRunCreateSerializer, run_body, run_fields
from helios_site.api.families.helios.errors import RunNotFound
from helios_site.api.families.helios.query import page, read_cursor, read_limit
from helios_site.api.families.helios.view import HeliosViewMixin, as_uuid
from helios_site.env import Rate

# Feature -> the scopes of which any one gives it.
FEATURES = {
    "helios": ("model_runs:read", "model_runs:write"),
    "activity": ("model_runs:write",),
    "history": ("model_runs:read",),
    "webhooks": ("webhooks:read", "webhooks:write"),
}
TERMINAL = (Status.COMPLETE_OK, Status.COMPLETE_ERROR)


@openapi.account
class AccountViewSet(HeliosViewMixin, ViewSet):
    """Who am I, and what may I use: the usual smoke test of a key."""

    any_scope = True

    def retrieve(self, request: Request) -> Response:
        granted = self.caller.scopes
        features = [name for name, scopes in FEATURES.items() if any(allows(granted, scope) for scope in scopes)]
        return Response({"id": str(self.caller.organization_id), "features": features})


@openapi.model_runs
class ModelRunViewSet(HeliosViewMixin, GenericViewSet):
    """Model runs: create one, upload its recording to the URL in the reply, poll it, read its results."""

    scope_resource = "model_runs"
    uuid_path_names = ("model_run_id",)
    serializer_class = ModelRunCreateSerializer

    def create(self, request: Request) -> Response:
        run = create_from_body(self, request, ModelRunCreateSerializer)
        return Response({"id": str(run.id), "recordingUploadUrl": uploads.upload_url(run)})

    def list(self, request: Request) -> Response:
        query = request.query_params
        limit, after = read_limit(query), read_cursor(query)
        organization_id = self.caller.organization_id
        runs = narrowed(selectors.list_runs(organization_id), query)
        rows, next_cursor = page(runs.values(*run_fields()), after, limit)
        services.record_read(actor=self.caller.actor, organization_id=organization_id, run_id=None)
        return Response({"items": [run_body(row) for row in rows], "nextCursor": next_cursor})

    def retrieve(self, request: Request, model_run_id: str) -> Response:
        organization_id = self.caller.organization_id
        run_id = self.path_ids["model_run_id"]
        row = selectors.list_runs(organization_id).filter(id=run_id).values(*run_fields()).first()
        if row is None:
            raise RunNotFound
        if row["status"] in TERMINAL:  # a poll before that reads no results
            services.record_read(actor=self.caller.actor, organization_id=organization_id, run_id=run_id)
        return Response(run_body(row))

    def destroy(self, request: Request, model_run_id: str) -> Response:
        run_id = self.path_ids["model_run_id"]
        if not services.delete_run(actor=self.caller.actor, organization_id=self.caller.organization_id, run_id=run_id):
            raise RunNotFound
        return Response({"id": str(run_id), "deleted": True})

    # -- Polling has a bucket of its own for each run ---------------------------------------------------

    def rate_limit_of(self, request: Request) -> tuple[str, Rate]:
        polled = self._polled_run()
        if polled is None:
            return super().rate_limit_of(request)
        return f"helios:{self.caller.bucket}:{polled}", settings.HELIOS_POLL_LIMIT

    def handle_exception(self, exc: Exception) -> Response:
        """A status GET that finds nothing counts in the general row, so that ids cannot be tried without limit."""
        if isinstance(exc, NotFound) and self._polled_run() is not None:
            try:
                self.charge(self.request, *super().rate_limit_of(self.request))
            except Throttled as refusal:
                exc = refusal
        return super().handle_exception(exc)

    def _polled_run(self) -> UUID | None:
        return as_uuid(self.kwargs["model_run_id"]) if self.action == "retrieve" else None


@openapi.legacy
class LegacyModelRunViewSet(ModelRunViewSet):
    """The older path of the status GET."""

    def check_path(self) -> None:
        if not settings.HELIOS_LEGACY_GET:
            raise NotFound
        super().check_path()
