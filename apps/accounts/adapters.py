"""How django-allauth does things here: mails, addresses, limits, what is encrypted and what is recorded."""

from __future__ import annotations

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.db import transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from apps.accounts import sign_in_trail
from apps.accounts.invitations import pending_invitation
from apps.accounts.models import User
from apps.accounts.signing_up import open_wanted_organization
from helios_site.api.client_address import client_address
from helios_site.api.errors import too_many_attempts
from helios_site.encryption import decrypt, encrypt

log = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": "This account is switched off. Ask your administrator.",
        "duplicate_email": "This is your address already.",
        "email_password_mismatch": "The e-mail address or the password is wrong.",
        "enter_current_password": "This is not your present password.",
        "incorrect_code": "This code is wrong, or it was used already. Enter the one that the app shows now.",
        "incorrect_password": "This is not your password.",
        "invalid_password_reset": "This link was used already, or it has expired.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        if settings.HELIOS_SIGNUP == "invite":
            return pending_invitation(request.session) is not None
        return bool(settings.HELIOS_SIGNUP == "open")

    def is_ajax(self, request: HttpRequest) -> bool:
        return False  # these are pages, whatever the caller says it accepts

    def is_safe_url(self, url: str | None) -> bool:
        """Paths alone: no host is believed, not even one that we are called by."""
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request) or "::"  # where the server knows none, all such callers count as one

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        """Raises ImmediateHttpResponse, a 429, where a limit is the reason."""
        if code in ("too_many_login_attempts", "rate_limited"):
            raise ImmediateHttpResponse(too_many_attempts(context.request))
        error: ValidationError = super().validation_error(code, *args)
        return error

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # By the address typed alone. With the Host header in it, as it is otherwise, whoever varies the port in that
        # header would have as many attempts as there are ports.
        return str(credentials.get("email", "")).lower()

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        sign_in_trail.record_failure(str(credentials.get("email", "")))

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Verify the address; for who signed up for an organisation, open it in the same transaction.

        Raises ValidationError if its name was taken meanwhile.
        """
        user: User = email_address.user
        if User.objects.filter(email=email_address.email).exclude(pk=user.pk).exists():
            return False  # somebody else signed up with it
        with transaction.atomic():
            wanted = request.POST.get("organization") or user.wanted_organization
            open_wanted_organization(user=user, name=wanted)
            confirmed: bool = super().confirm_email(request, email_address)
            if confirmed:
                sign_in_trail.record("user.email_verified", user)
            else:
                transaction.set_rollback(True)
        return confirmed

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send the text of one template, whose first line is the subject. Its links begin with `base_url`, never with
        the Host header. A mail server that is away stops nobody: what the mail is about has happened, or can be
        asked for again."""
        text = render_to_string(f"{template_prefix}.txt", {"base_url": settings.HELIOS_PUBLIC_BASE_URL, **context})
        subject, _, body = text.partition("\n")
        try:
            EmailMessage(subject, body.strip() + "\n", to=[email]).send()
        except OSError as error:  # of which every fault of smtplib is one
            log.error("The mail %s could not be sent: %s", template_prefix, type(error).__name__)


class TotpAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "add_email_blocked": "Turn two-step sign-in off first. Once the new address is verified, turn it on again.",
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"],
        "unverified_email": "Verify your new e-mail address first, or cancel the change.",
    }

    def encrypt(self, text: str) -> str:
        return encrypt(text, purpose="totp").decode()

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt(encrypted_text.encode(), purpose="totp")


class SessionsAdapter(DefaultUserSessionsAdapter):
    @transaction.atomic
    def end_sessions(self, sessions: list[UserSession]) -> None:
        super().end_sessions(sessions)
        for session in sessions:
            sign_in_trail.record("user.session_ended", session.user)
