"""From the body of a create to a run, as every create over HTTP does it."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request

from apps.api_keys.permissions import require_scopes
from apps.model_runs import services
from apps.model_runs.models import ModelRun
from apps.model_runs.serializers import NO_CONSENT, NO_SUCH_PATIENT, ModelRunCreateSerializer
from apps.patients import services as patients
from helios_site.api.families.helios.errors import Invalid
from helios_site.api.families.helios.view import HeliosViewMixin


def create_from_body(
    view: HeliosViewMixin,
    request: Request,
    serializer_class: type[ModelRunCreateSerializer],
    *,
    good_for_seconds: int | None = None,
    **context: Any,
) -> ModelRun:
    """The run that the body asks for. Raises the family's errors."""
    body = view.read_body(request)
    if body.get("patientId") is not None:
        require_scopes(request, "patients:read")
    serializer = serializer_class(data=body, context={"lenient": view.caller.helios_lenient_user, **context})
    serializer.is_valid(raise_exception=True)
    try:
        return services.create_run(
            actor=view.caller.actor,
            organization_id=view.caller.organization_id,
            key_id=view.caller.key_id,
            request=serializer.run_request(),
            good_for_seconds=good_for_seconds,
        )
    except patients.NoSuchPatient:
        raise Invalid(("body", "patientId"), "value_error", NO_SUCH_PATIENT) from None
    except patients.ConsentMissing:
        raise Invalid(("body", "patientId"), "value_error", NO_CONSENT) from None
