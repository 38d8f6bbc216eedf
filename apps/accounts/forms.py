"""Forms of signing up and of an account, and of users in the admin."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.forms import AddEmailForm, SignupForm
from allauth.core import context
from allauth.usersessions.forms import ManageUserSessionsForm
from allauth.usersessions.internal.flows.sessions import end_other_sessions, end_sessions
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse

from apps.accounts import audit
from apps.accounts.invitations import pending_invitation
from apps.accounts.models import User
from apps.accounts.origins import clean_origins
from apps.accounts.services import MAX_EMAIL_CHARS, MAX_ORGANIZATION_NAME_CHARS
from apps.accounts.signing_up import clean_new_organization_name, sign_up, sign_up_invited


class SignUpForm(SignupForm):
    """Organisation, e-mail address and password; with an invitation the password alone, as that names the others.

    Whatever else is sent changes nothing.
    """

    field_order: ClassVar = ["organization", "email", "password1"]
    account_already_exists: bool
    organization = forms.CharField(max_length=MAX_ORGANIZATION_NAME_CHARS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].validators.append(MaxLengthValidator(MAX_EMAIL_CHARS))
        self.invitation = pending_invitation(context.request.session)
        if self.invitation is not None:
            del self.fields["organization"], self.fields["email"]

    def clean(self) -> dict[str, Any]:
        if self.invitation is not None and User.objects.filter(email=self.invitation.email).exists():
            raise ValidationError("You have an account already. Sign in to join the organisation.")
        cleaned: dict[str, Any] = super().clean()
        return cleaned

    def clean_organization(self) -> str:
        return clean_new_organization_name(self.cleaned_data["organization"])

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """The user; or, for an address that is taken, the response that a new one gets, for the same work."""
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])
        try:
            return super().try_save(request)  # type: ignore[no-any-return]
        except IntegrityError:  # another sign-up with the address was a moment faster
            self.account_already_exists = True
            return super().try_save(request)  # type: ignore[no-any-return]

    def save(self, request: HttpRequest) -> User:
        data = self.cleaned_data
        if self.invitation is not None:
            return sign_up_invited(invitation=self.invitation, password=data["password1"])
        return sign_up(email=data["email"], password=data["password1"], organization_name=data["organization"])


class NewEmailForm(AddEmailForm):
    """The address that shall take the place of the present one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].validators.append(MaxLengthValidator(MAX_EMAIL_CHARS))


class EndSessionsForm(ManageUserSessionsForm):
    """One of the person's own sessions; without it all but the present one."""

    session = forms.ModelChoiceField(UserSession.objects.none(), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["session"].queryset = UserSession.objects.filter(user=self.request.user)

    def save(self, request: HttpRequest) -> None:
        session = self.cleaned_data["session"]
        if session is None:
            end_other_sessions(request, request.user)
        else:
            end_sessions(request, [session])


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=audit.MAX_REASON_CHARS, help_text="Stays in the audit trail.")

    def clean_reason(self) -> str:
        return audit.clean_reason(self.cleaned_data["reason"])


class _LowerCaseEmail(forms.ModelForm):
    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class OrganizationForm(forms.ModelForm):
    def clean_activity_origins(self) -> list[str]:
        return clean_origins(self.cleaned_data["activity_origins"])


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
