"""Forms of sign-in, and of users in the admin."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AdminUserCreationForm, AuthenticationForm, UserChangeForm
from django.core.exceptions import ValidationError

from apps.accounts.models import User
from helios_site.api import ratelimit
from helios_site.api.client_address import bucket_of, client_address

THROTTLED = "throttled"


class _CountedSignIn(AuthenticationForm):
    """Counts each attempt against the address it comes from, before the password is looked at."""

    retry_after = 0

    def clean(self) -> dict[str, Any]:
        if self.request is not None:
            bucket = f"sign-in:{bucket_of(client_address(self.request))}"
            decision = ratelimit.charge(bucket, settings.RATE_LIMIT_FAILED_AUTH)
            if not decision.allowed:
                self.retry_after = decision.retry_after
                minutes = math.ceil(decision.retry_after / 60)
                raise ValidationError(
                    f"Too many attempts from your address. Try again in {minutes} min.", code=THROTTLED
                )
        return super().clean()


class SignInForm(_CountedSignIn):
    """E-mail address and password."""


class StaffSignInForm(_CountedSignIn, AdminAuthenticationForm):
    """The same for the admin, where only staff may enter."""


class _LowerCaseEmail(forms.ModelForm):
    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class NewUserForm(_LowerCaseEmail, AdminUserCreationForm):
    class Meta:
        model = User
        fields: ClassVar = ["email", "name"]


class UserForm(_LowerCaseEmail, UserChangeForm):
    class Meta:
        model = User
        fields: ClassVar = [
            "email",
            "name",
            "password",
            "is_active",
            "is_staff",
            "is_superuser",
            "groups",
            "user_permissions",
        ]
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {}
