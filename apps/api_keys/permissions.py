"""Whether the caller may do this: what each view and method needs, and nothing where no scope is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.api_keys import refusals, scopes
from apps.api_keys.authentication import MemberRecord
from apps.api_keys.selectors import KeyRecord


class HasScope(BasePermission):
    """A view says what it needs by one of

    `required_scopes`  a mapping from method to scope,
    `scope_resource`   a resource: GET, HEAD and OPTIONS need `resource:read`, the rest `resource:write`,
    `any_scope`        True: any one scope will do; or some scopes, any one of which will do.

    With one of the first two it may name `also_required_scopes`, which every method needs besides.

    A view that says nothing refuses everyone. A method that the view lacks passes: 405 comes before 403.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        caller: Any = request.auth
        if caller is None:
            return False
        method = request.method or ""
        if not _has_method(view, method):
            return True
        any_scope: bool | tuple[str, ...] = getattr(view, "any_scope", False)
        if any_scope is True:
            missing = [] if caller.scopes else ["any"]
        elif any_scope:
            has_one = any(scopes.allows(caller.scopes, scope) for scope in any_scope)
            missing = [] if has_one else [" or ".join(any_scope)]
        else:
            needed = (required_scope(view, method), *getattr(view, "also_required_scopes", ()))
            missing = [scope for scope in needed if not scopes.allows(caller.scopes, scope)]
        if missing:
            _report(request, missing[0])
        return not missing


def require_scopes(request: Request, *needed: str) -> None:
    """Also these, for what a call reaches beyond its own resource. Raises PermissionDenied."""
    caller: Any = request.auth
    for scope in needed:
        if not scopes.allows(caller.scopes, scope):
            _report(request, scope)
            raise PermissionDenied


class IsOrganizationAdmin(BasePermission):
    """A signed-in admin of the organisation; never a key, whatever its scopes."""

    message = "Only an admin of the organisation may do this"

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, MemberRecord) and request.auth.is_admin


def required_scope(view: Any, method: str) -> str:
    """The scope that `view` names for `method`; empty if it names none."""
    named: Mapping[str, str] | None = getattr(view, "required_scopes", None)
    if named is not None:
        return named.get(method, "")
    resource: str = getattr(view, "scope_resource", "")
    return scopes.for_method(resource, method) if resource else ""


def _report(request: Request, missing: str) -> None:
    if isinstance(request.auth, KeyRecord):
        refusals.report(request._request, request.auth, f"missing scope: {missing or 'none is defined'}")


def _has_method(view: Any, method: str) -> bool:
    name = method.lower()
    if name == "options" and view.metadata_class is None:
        return False  # DRF answers 405 then
    return name in view.http_method_names and hasattr(view, name)
