"""Every path of Helios."""

from __future__ import annotations

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from apps.api_keys.audit_events.pages import audit_download, audit_page
from apps.api_keys.first_key_page import first_key
from apps.api_keys.replacement_page import replacement
from apps.api_keys.usage.views import usage_page
from apps.model_runs import archive_page, uploads
from apps.model_runs.activity import pages as activity
from apps.model_runs.patient_runs import export_page
from apps.patients.documents.downloads import download
from helios_site import health, metrics
from helios_site.api.families.fhir.view import UnknownPathView as UnknownFhirPathView
from helios_site.api.families.healos.view import UnknownPathView
from helios_site.start import start

urlpatterns = [
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("metrics", metrics.metrics),
    path("admin/", admin.site.urls),
    path("favicon.ico", RedirectView.as_view(url=static("helios/icon.svg"))),  # asked for where a page names no icon
    path("start", start, name="start"),
    path("", include("apps.accounts.urls")),
    path("first-key", first_key, name="first-key"),
    path("key-replacements/<str:replacement_token>", replacement, name="key-replacement"),
    path("", include("helios_site.api.urls")),  # /openapi.json, /api-reference
    path("", include("helios_site.documentation.urls")),
    path("browse/", include("helios_site.browse")),
    re_path(r"^uploads/(?P<run_id>[^/]+)$", uploads.upload, name="upload"),
    path("activity/<str:model_run_id>", activity.activity, name="activity"),
    path("activity/<str:model_run_id>/consent", activity.consent, name="activity-consent"),
    path("patient-export", export_page.download, name="patient-export"),
    path("documents/<str:document_id>", download, name="document"),
    path("organization/archive", archive_page.download, name="organization-archive"),
    path("v1/", include("apps.webhooks.urls")),
    path("", include("apps.webhooks.pages.urls")),
    path("api/v1/", include("apps.api_keys.urls")),
    path("v1/", include("apps.api_keys.usage.urls")),
    path("usage", usage_page, name="usage"),
    path("", include("apps.api_keys.pages.urls")),
    path("audit", audit_page, name="audit"),
    path("audit/download", audit_download, name="audit-download"),
    path("", include("apps.model_runs.pages.urls")),
    path("", include("apps.patients.pages.urls")),
    path("", include("apps.model_runs.patient_runs.pages.urls")),
    path("", include("apps.patients.pages.care_urls")),
    path("v1/", include("apps.model_runs.urls")),
    path("ext-api/v1/", include("apps.api_keys.ext_api_urls")),
    path("ext-api/v1/", include("apps.patients.urls")),
    path("ext-api/v1/", include("apps.model_runs.patient_runs.urls")),
    path("ext-api/v1", UnknownPathView.as_view()),
    re_path(r"^ext-api/v1/", UnknownPathView.as_view()),  # after every other of that base
    path("fhir/", include("apps.fhir.urls")),
    path("fhir", UnknownFhirPathView.as_view()),  # the base, where others search everything and take batches
    re_path(r"^fhir/", UnknownFhirPathView.as_view()),
]

handler400 = "helios_site.api.errors.bad_request"
handler403 = "helios_site.api.errors.permission_denied"
handler404 = "helios_site.api.errors.not_found"
handler429 = "helios_site.api.errors.too_many_attempts"  # of django-allauth; Django has none
handler500 = "helios_site.api.errors.server_error"
