"""The web server, with a limiter that waits for Valkey also on a busy machine: what is judged is the counting."""

from __future__ import annotations

from django.conf import settings

from helios_site.wsgi import application

settings.RATE_LIMIT_BUDGET_SECONDS = 5.0

__all__ = ["application"]
