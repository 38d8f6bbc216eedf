"""How every family writes its paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path


def either(route: str, view: Callable[..., Any]) -> list[URLPattern]:
    """The route with and without a trailing slash: a redirect would turn a POST into a GET."""
    return [path(route, view), path(f"{route}/", view)]
