"""The staff's admin: it has no log-in of its own, and only who signs in with a code of an app gets into it."""

from __future__ import annotations

from typing import Any

from allauth.account.utils import get_next_redirect_url
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.selectors import has_totp


class StaffSite(AdminSite):
    site_header = "Helios"
    site_title = "Helios admin"
    index_title = "Staff"
    enable_nav_sidebar = False  # lists need the width

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        if not super().has_permission(request) or not isinstance(user, User):
            return False
        seen = request.__dict__  # Django asks twice for a page
        if "staff_has_totp" not in seen:
            seen["staff_has_totp"] = has_totp(user)
        return bool(seen["staff_has_totp"])

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Where every page of the admin sends who may not see it: on to the page that helps."""
        wanted = get_next_redirect_url(request) or reverse("admin:index")
        user = request.user
        if not isinstance(user, User):
            return redirect_to_login(wanted)
        if not user.is_staff:
            text = f"The admin is for staff of this installation, and {user.email} is not. Sign in as somebody who is."
            return render(request, "error.html", {"title": "No access", "text": text}, status=403)
        return redirect(wanted if has_totp(user) else "mfa_activate_totp")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        return redirect("account_change_password")
