"""What the tests of signing up and in do again and again."""

from __future__ import annotations

import re
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.totp.internal.auth import yield_hotp_counters_from_time as counters
from django.core import mail
from django.test import Client

from apps.accounts.models import AuditEvent, User
from helios_site.encryption import decrypt

PASSWORD = "a long password"
ORGANIZATION = "Western Clinic"


def make_person(email: str = "someone@example.org", **fields: Any) -> User:
    """Somebody whose address is verified."""
    user = User.objects.create_user(email, PASSWORD, **fields)
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    return user


def code_of(user: User, *, step: int = 1) -> str:
    """What the app of `user` shows now (1), showed before (0) or shows next (2); each is good once."""
    return code_for(secret_of(user), step=step)


def secret_of(user: User) -> str:
    return decrypt(Authenticator.objects.get(user=user, type="totp").data["secret"].encode(), purpose="totp")


def code_for(secret: str, *, step: int = 1) -> str:
    return str(format_hotp_value(hotp_value(secret, list(counters())[step])))


def sign_in(client: Client, email: str = "someone@example.org", password: str = PASSWORD, **extra: Any) -> Any:
    return client.post("/login", {"login": email, "password": password, **extra})


def sign_up(client: Client, email: str = "new@example.org", **extra: Any) -> Any:
    return client.post("/signup", {"organization": ORGANIZATION, "email": email, "password1": PASSWORD, **extra})


def confirm_password(client: Client, password: str = PASSWORD) -> Any:
    return client.post("/account/confirm", {"password": password})


def signed_in(user: User) -> Client:
    """A browser in which `user` has signed in with the password."""
    client = Client()
    assert sign_in(client, user.email).status_code == 302
    return client


def is_signed_in(client: Client) -> bool:
    """Whether the server takes the browser's cookie for somebody's."""
    return client.get("/account").status_code == 200


def replayed(client: Client) -> Client:
    """Another browser with a copy of the cookie that this one holds now."""
    other = Client()
    other.cookies["sessionid"] = client.cookies["sessionid"].value
    return other


def mailed_path(position: int = -1) -> str:
    """Path of the link in one of the mails that were sent; the last if not said otherwise."""
    [found] = re.findall(r"https?://[^/\s]+(/\S+)", str(mail.outbox[position].body))[:1]
    return str(found)


def trail() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))
