"""The sign-in page."""

from __future__ import annotations

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpResponse

from apps.accounts.forms import THROTTLED, SignInForm


class SignInView(LoginView):
    authentication_form = SignInForm
    template_name = "accounts/login.html"
    redirect_authenticated_user = True

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        if isinstance(form, SignInForm) and form.has_error("__all__", THROTTLED):
            response.status_code = 429
            response.headers["Retry-After"] = str(form.retry_after)
        return response
