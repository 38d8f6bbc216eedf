"""What the header of every page shows of the person who is signed in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from django.contrib.auth.middleware import get_user
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from apps.accounts.models import Membership, User
from apps.accounts.selectors import Workplace, workplace

_NOWHERE = Workplace(None, ())


# The name of the page's address, what it is called, and whether it is for admins alone.
PAGES = (
    ("home", "Home", False),
    ("runs", "Runs", False),
    ("new-check", "New check", False),
    ("patients", "Patients", False),
    ("appointments", "Appointments", False),
    ("keys", "Keys", True),
    ("webhooks", "Webhooks", True),
    ("usage", "Usage", False),
    ("audit", "Audit", True),
    ("organization", "Organisation", False),
    ("docs", "Docs", False),
    ("api-reference", "API", False),
    ("account", "Account", False),
)


def organizations(request: HttpRequest) -> dict[str, Any]:
    """`workplace` and `navigation` for templates. A template that does not ask for them costs no query."""
    found = cache(lambda: _workplace(request))
    return {
        "workplace": SimpleLazyObject(found),
        "navigation": SimpleLazyObject(lambda: list(_navigation(request, found().current))),
    }


def _navigation(request: HttpRequest, current: Membership | None) -> Iterator[dict[str, Any]]:
    is_admin = current is not None and current.role == Membership.Role.ADMIN
    for name, title, for_admins in PAGES:
        if is_admin or not for_admins:
            url = reverse(name)
            yield {"title": title, "url": url, "is_here": _is_below(request.path_info, url)}


def _is_below(path: str, url: str) -> bool:
    return path == url or (url != "/" and path.startswith(f"{url.rstrip('/')}/"))


def _workplace(request: HttpRequest) -> Workplace:
    # A view of REST framework puts an organisation into `request.user`; the session says who signed in.
    http_request: HttpRequest = getattr(request, "_request", request)
    user = get_user(http_request) if hasattr(http_request, "session") else None
    return workplace(user, http_request.session) if isinstance(user, User) and user.is_active else _NOWHERE
