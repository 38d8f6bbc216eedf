"""What the header of every page shows of the person who is signed in."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.middleware import get_user
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from apps.accounts.models import User
from apps.accounts.selectors import Workplace, workplace

_NOWHERE = Workplace(None, ())


def organizations(request: HttpRequest) -> dict[str, Any]:
    """`workplace` for templates. A template that does not ask for it costs no query."""
    return {"workplace": SimpleLazyObject(lambda: _workplace(request))}


def _workplace(request: HttpRequest) -> Workplace:
    # A view of REST framework puts an organisation into `request.user`; the session says who signed in.
    http_request: HttpRequest = getattr(request, "_request", request)
    user = get_user(http_request) if hasattr(http_request, "session") else None
    return workplace(user, http_request.session) if isinstance(user, User) and user.is_active else _NOWHERE
