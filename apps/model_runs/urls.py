"""The paths of model runs under `/v1/`. Literal ones stand before the older `models/<id>`."""

from __future__ import annotations

from apps.model_runs.activity.viewsets import ActivityViewSet
from apps.model_runs.users.viewsets import UserBaselineViewSet, UserHistoryViewSet
from apps.model_runs.viewsets import AccountViewSet, LegacyModelRunViewSet, ModelRunViewSet
from helios_site.api.families.helios.view import NotBuiltView
from helios_site.api.families.routes import either

RUNS = "models/mental-wellness"

urlpatterns = [
    *either("account", AccountViewSet.as_view({"get": "retrieve"})),
    *either(RUNS, ModelRunViewSet.as_view({"get": "list", "post": "create"})),
    *either(f"{RUNS}/<str:model_run_id>", ModelRunViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
    *either("users/history", UserHistoryViewSet.as_view({"get": "retrieve"})),
    *either("users/baseline", UserBaselineViewSet.as_view({"get": "retrieve"})),
    *either("models/mental-wellness-activity", ActivityViewSet.as_view({"post": "create"})),
    # Without these the older GET would answer 405 to their POST.
    *either("models/apollo", NotBuiltView.as_view()),
    *either("models/apollo/<str:model_run_id>", NotBuiltView.as_view()),
    *either("models/<str:model_run_id>", LegacyModelRunViewSet.as_view({"get": "retrieve"})),
]
