"""The Content-Security-Policy of each page: strict on those that we write, with styles in elements where others do."""

from __future__ import annotations

from csp.constants import SELF
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase

# Pages of Django's admin, of REST framework and of Swagger UI, which set `style` attributes.
LOOSELY_STYLED = ("/admin/", "/browse/", "/api-reference")


class ContentSecurityMiddleware(CSPMiddleware):
    """django-csp's, knowing which pages are not ours."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(LOOSELY_STYLED):
            parts.replace = {"style-src": [SELF, "'unsafe-inline'"], **(parts.replace or {})}
        return parts
