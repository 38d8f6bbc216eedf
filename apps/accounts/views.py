"""Pages of an account, where django-allauth has none or not quite the one wanted."""

from __future__ import annotations

from typing import Any

from allauth.account.views import ConfirmEmailView, EmailVerificationSentView, PasswordResetDoneView, SignupView
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from apps.accounts.forms import EndSessionsForm, SignUpForm
from apps.accounts.invitations import CannotAccept
from apps.accounts.models import Organization


class SignUpView(SignupView):
    def closed(self) -> HttpResponse:
        response: HttpResponse = super().closed()
        response.status_code = 403
        return response

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        try:
            response: HttpResponse = super().form_valid(form)
        except CannotAccept as error:  # withdrawn or used up in this very moment
            form.add_error(None, str(error))
            response = self.form_invalid(form)
        return response


class VerifyEmailView(ConfirmEmailView):
    """The page of the mailed link, whose button verifies the address. If the name of the wanted organisation was taken
    meanwhile, it asks for another."""

    name_error = ""

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response: HttpResponse = super().post(*args, **kwargs)
        except ValidationError as error:
            self.name_error = " ".join(error.messages)
            response = self.render_to_response(self.get_context_data())
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        wanted = self.object.email_address.user.wanted_organization if self.object else ""
        is_taken = bool(wanted) and Organization.objects.filter(name=wanted).exists()
        return context | {"wanted": wanted, "is_taken": is_taken, "name_error": self.name_error}


def mails_are_printed() -> bool:
    """Whether nobody gets a mail, as no server for it is set."""
    return str(settings.EMAIL_BACKEND).endswith("console.EmailBackend")


VERIFICATION_SENT = EmailVerificationSentView.as_view(extra_context={"mails_are_printed": mails_are_printed})
PASSWORD_RESET_SENT = PasswordResetDoneView.as_view(extra_context={"mails_are_printed": mails_are_printed})


class CodeView(AuthenticateView):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "code" not in request.POST:  # django-allauth would take it for an answer of a security key
            return redirect("mfa_authenticate")
        response: HttpResponse = super().post(request, *args, **kwargs)
        return response


class SessionsView(ListUserSessionsView):
    form_class = EndSessionsForm


@require_safe
@login_required
def account(request: HttpRequest) -> HttpResponse:
    """What a person can look after, each with its page."""
    kinds = set(Authenticator.objects.filter(user=request.user).values_list("type", flat=True))
    context = {
        "has_totp": Authenticator.Type.TOTP in kinds,
        "has_recovery_codes": Authenticator.Type.RECOVERY_CODES in kinds,
        "sessions": UserSession.objects.filter(user=request.user).count(),
    }
    return render(request, "account/account.html", context)
