"""A raw key is in the one response that issues it, and nowhere else: whatever way it came, whatever is done with it."""

from __future__ import annotations

import base64
import io
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import redis
import structlog
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib import admin as django_admin
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.test import Client

from apps.accounts.models import Membership, Organization, User
from apps.api_keys import notices, tokens
from apps.api_keys.models import ApiKey
from tests.contract.healos.calls import BODY, KEYS, send
from tests.contract.helios.calls import minimal_body

pytestmark = pytest.mark.django_db
ADMIN = "/admin/api_keys/apikey/"
ANYTHING = BODY | {"scopes": ["*"]}


@dataclass(frozen=True)
class People:
    organization: Organization
    staff: Client
    ada: Client  # an admin of the organisation


def key_in(response: Any) -> str:
    [raw_key] = tokens.find_keys(response.content.decode())  # several times on a page is once
    return raw_key


def newest() -> ApiKey:
    return ApiKey.objects.order_by("-created_at")[0]


# -- Every way to a key: a new one belongs here ---------------------------------------------------------


def by_the_page_of_the_first_key(people: People) -> str:
    return key_in(people.ada.post("/first-key"))


def by_the_api(people: People) -> str:
    return key_in(send(people.ada, "POST", KEYS, ANYTHING))


def by_a_form_of_the_browsable_api(people: People) -> str:
    form = {"name": "by hand", "scopes": ["*"]}
    return key_in(people.ada.post(f"/browse{KEYS}", form, headers={"accept": "text/html"}))


def by_the_page_of_a_new_key(people: People) -> str:
    [ticket] = re.findall(r'name="ticket" value="([^"]+)"', people.ada.get("/keys/new").content.decode())
    return key_in(people.ada.post("/keys/new", {"name": "by the console", "access": "everything", "ticket": ticket}))


def by_the_page_of_a_rotation(people: People) -> str:
    by_the_api(people)
    return key_in(people.ada.post(f"/keys/{newest().pk}/rotate", {"grace": "3600"}))


def by_rotation(people: People) -> str:
    by_the_api(people)
    return key_in(send(people.ada, "POST", f"{KEYS}/{newest().pk}/rotate", {}))


def by_staff(people: People) -> str:
    form = {"organization": str(people.organization.pk), "name": "by staff", "scopes": ["*"], "allowed_cidrs": ""}
    return key_in(people.staff.post(f"{ADMIN}add/", form))


def by_command(people: People) -> str:
    out = io.StringIO()
    call_command("issue_key", "--organization", people.organization.name, stdout=out, stderr=io.StringIO())
    return out.getvalue().strip()


def by_replacement(people: People) -> str:
    notices.send_due_notices()
    people.staff.post(f"{ADMIN}{newest().pk}/replace/", {"reason": "leaked"})
    notices.send_due_notices()
    [link] = re.findall(r"/key-replacements/\S+", str(mail.outbox[-1].body))
    return key_in(people.ada.post(link))


WAYS: list[Callable[[People], str]] = [
    by_the_page_of_the_first_key, by_the_api, by_a_form_of_the_browsable_api, by_the_page_of_a_new_key,
    by_the_page_of_a_rotation, by_rotation, by_staff, by_command, by_replacement,
]  # fmt: skip


# -- What is done with it -------------------------------------------------------------------------------


def use(raw_key: str, people: People) -> None:
    """Well, wrongly, and everywhere where somebody may type or paste it; at last it is reported as leaked."""
    client, key = Client(headers={"x-api-key": raw_key, "x-request-id": raw_key}), newest()
    assert client.get("/v1/account").status_code == 200
    assert client.get("/v1/account").headers["X-Request-ID"] != raw_key
    assert client.post("/v1/models/mental-wellness", minimal_body(), content_type="application/json").status_code == 200
    client.get(f"/v1/models/{raw_key}?key={raw_key}")
    for wrong in (f"{raw_key},{raw_key}", f"{raw_key}x", raw_key[:-1]):
        assert Client(headers={"x-api-key": wrong}).get("/v1/account").status_code == 401
    Client(headers={"authorization": f"Bearer {raw_key}"}).get(f"/v1/account?api_key={raw_key}")
    Client().post("/login", {"login": f"{raw_key}@example.org", "password": raw_key})

    people.ada.get(f"{KEYS}/{raw_key}?page={raw_key}")
    assert send(people.ada, "POST", KEYS, ANYTHING | {"name": raw_key}).status_code == 400
    assert people.ada.post(f"/keys/{key.pk}", {"name": raw_key, "access": "everything"}).status_code == 400
    people.ada.get("/keys", {"state": raw_key})
    people.staff.get(ADMIN, {"q": raw_key})
    people.staff.get("/admin/accounts/auditevent/export", {"object": raw_key})
    assert key.name in people.staff.post(f"{ADMIN}find/", {"text": f"GET /?key={raw_key}"}).content.decode()
    report = Client().post(f"{KEYS}/report-leak", {"key": raw_key}, content_type="application/json")
    assert report.json() == {"data": {"revoked": True}}
    people.staff.post(f"{ADMIN}{key.pk}/replace/", {"reason": f"{raw_key} and {raw_key[:-1]} were in a log"})
    assert client.get("/v1/account").status_code == 401


# -- Where it must not be -------------------------------------------------------------------------------


def database() -> str:
    """Every row of every table, as PostgreSQL dumps it; bytes are hexadecimal there."""
    dump = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            with cursor.copy(f'COPY (SELECT * FROM "{table}") TO STDOUT') as rows:  # noqa: S608
                dump += [bytes(row).decode() for row in rows]
    return "".join(dump)


def valkey() -> str:
    read: dict[str, Callable[[redis.Redis, bytes], Any]] = {
        "string": lambda store, name: store.get(name),
        "list": lambda store, name: store.lrange(name, 0, -1),
        "set": lambda store, name: store.smembers(name),
        "zset": lambda store, name: store.zrange(name, 0, -1),
        "hash": lambda store, name: store.hgetall(name),
    }
    with redis.Redis.from_url(settings.REDIS_URL) as store:
        return "\n".join(f"{name!r} {read[store.type(name).decode()](store, name)!r}" for name in store.scan_iter())


def sessions() -> str:
    return "\n".join(str(session.get_decoded()) for session in Session.objects.all())


def mails() -> str:
    return "\n".join(f"{one.to} {one.subject}\n{one.body}" for one in mail.outbox)


def admin_pages(staff: Client) -> str:
    """The list of each model, and the page and history of each key and of some of the other objects."""
    pages = []
    for model in django_admin.site._registry:
        listing = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        objects: Iterable[Any] = model._default_manager.values_list("pk", flat=True)[: 50 if model is ApiKey else 3]
        paths = [listing, *[f"{listing}{pk}/{page}/" for pk in objects for page in ("change", "history")]]
        for answer in map(staff.get, paths):
            assert answer.status_code == 200
            pages.append(answer.content.decode())
    return "\n".join(pages)


@contextmanager
def logs() -> Iterator[io.StringIO]:
    """What this process logs at its most talkative, in the form that its handler writes."""
    root, written = logging.getLogger(), io.StringIO()
    [form] = [one.formatter for one in root.handlers if isinstance(one.formatter, structlog.stdlib.ProcessorFormatter)]
    handler, level = logging.StreamHandler(written), root.level
    handler.setFormatter(form)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield written
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


def disguises(raw_key: str) -> list[str]:
    """The part of a key that nobody may read, plain, in hexadecimal, and as base64 has it inside of a longer text."""
    secret = raw_key[settings.API_KEY_DISPLAY_CHARS :].encode()
    inside = [base64.b64encode(b"\0" * shift + secret)[4:-4].decode() for shift in range(3)]
    return [secret.decode(), secret.hex(), secret.hex().upper(), *inside]


def finds(raw_key: str, text: str) -> bool:
    return any(disguise in text for disguise in disguises(raw_key))


@pytest.mark.parametrize("around", ["", "a", "ab"])
def test_a_key_would_be_found_plain_in_hexadecimal_and_in_base64(around: str) -> None:
    raw_key = tokens.generate()
    blob = f"{around}{raw_key}".encode()
    for text in (blob.decode(), blob.hex(), base64.b64encode(blob).decode(), base64.urlsafe_b64encode(blob).decode()):
        assert finds(raw_key, text)
        assert not finds(tokens.generate(), text)


def test_a_raw_key_is_nowhere_but_in_the_response_that_issued_it(
    organization: Organization, admin: Client, django_capture_on_commit_callbacks: Any
) -> None:
    ada = User.objects.create_user("ada@example.org")
    EmailAddress.objects.create(user=ada, email=ada.email, primary=True, verified=True)
    Membership.objects.create(organization=organization, user=ada, role="admin")
    people = People(organization, admin, Client())
    people.ada.force_login(ada)
    raw_keys = []
    with logs() as logged, django_capture_on_commit_callbacks(execute=True):
        for issue in WAYS:
            raw_keys.append(issue(people))
            use(raw_keys[-1], people)
    notices.send_due_notices()

    places = {
        "database": database(),
        "Valkey": valkey(),
        "sessions": sessions(),
        "mails": mails(),
        "admin": admin_pages(people.staff),
        "logs": logged.getvalue(),
    }
    assert len(set(raw_keys)) == len(WAYS)
    for raw_key in raw_keys:
        shown = raw_key[: settings.API_KEY_DISPLAY_CHARS]
        assert [name for name in ("database", "mails", "admin") if shown not in places[name]] == []  # they were read
        assert [name for name, text in places.items() if finds(raw_key, text)] == []
    assert "hlsk_[redacted]" in places["logs"]
    assert "helios:" in places["Valkey"]
