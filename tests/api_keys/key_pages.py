"""What the tests of the pages of keys share."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client

from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.api_keys import tokens
from tests.pages import INLINE

LIST, NEW = "/keys", "/keys/new"


def member_of(organization: Organization, role: str = "admin", name: str = "ada") -> User:
    user = User.objects.create_user(f"{name}@example.org")
    Membership.objects.create(organization=organization, user=user, role=role)
    return user


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(answer: Any, status: int = 200) -> str:
    """What a reader sees: without tags, white space as one."""
    assert answer.status_code == status, answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert not INLINE.search(answer.content.decode())
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def keys_in(answer: Any) -> list[str]:
    return sorted(set(tokens.find_keys(answer.content.decode())))


def form(client: Client, **fields: Any) -> dict[str, Any]:
    """A filled-in form as the page gave it."""
    [ticket] = re.findall(r'name="ticket" value="([^"]+)"', client.get(NEW).content.decode())
    return {"name": "EHR sync", "access": "checks", "ticket": ticket, "zone": "UTC", **fields}


def last_event(action: str) -> AuditEvent:
    return AuditEvent.objects.filter(action=action).latest("id")
