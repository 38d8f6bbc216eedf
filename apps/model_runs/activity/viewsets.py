"""Runs whose recording is made on the hosted page."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.model_runs.activity import openapi
from apps.model_runs.activity.links import activity_url, origins_of
from apps.model_runs.activity.serializers import ActivityCreateSerializer
from apps.model_runs.creating import create_from_body
from helios_site.api.families.helios.view import HeliosViewMixin


@openapi.activity
class ActivityViewSet(HeliosViewMixin, GenericViewSet):
    """Create a run, and send the person to the link in the reply: what they record there is the run's recording."""

    scope_resource = "model_runs"
    serializer_class = ActivityCreateSerializer

    def create(self, request: Request) -> Response:
        run = create_from_body(
            self,
            request,
            ActivityCreateSerializer,
            good_for_seconds=settings.HELIOS_ACTIVITY_URL_TTL_SECONDS,
            origins=partial(origins_of, self.caller.organization_id),
        )
        return Response({"id": str(run.id), settings.HELIOS_ACTIVITY_LINK_KEY: activity_url(run)})
