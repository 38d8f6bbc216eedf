"""Who may do what, as one table: every route and method against every kind of caller. A new route needs a row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core import mail
from django.http import FileResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.invitations import invite_member, send_due_invitations
from apps.accounts.models import Membership, Organization, User
from apps.accounts.organizations import change_consent_text
from apps.api_keys.links import renew
from apps.api_keys.models import ApiKey, KeyReplacement
from apps.api_keys.services import revoke_key
from apps.webhooks.models import WebhookEndpoint
from tests.api.permission_rows import ADMIN, MATRIX, Row
from tests.conftest import MakeKey, with_totp
from tests.contract.fhir.records import make_resource
from tests.contract.healos.appointments import START, book
from tests.contract.healos.calls import content_of
from tests.contract.healos.documents import of, upload
from tests.contract.healos.notes import make_note, make_patient, make_session
from tests.contract.healos.patients import PATIENTS
from tests.contract.healos.patients import create as create_patient
from tests.contract.helios.calls import create, minimal_body, post


def routes(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if route != "admin/":
                yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route.rstrip("/"), pattern.callback


ROUTES = dict(routes(get_resolver().url_patterns))


def test_healos_111_every_route_and_method_has_a_row() -> None:
    assert {route for _, route in MATRIX} == set(ROUTES)
    for route, view in ROUTES.items():
        methods = {method.upper() for method in getattr(view, "actions", {}) if method != "head"}
        assert methods <= {method for method, named in MATRIX if named == route}, route


@pytest.fixture
def clients(
    db: None, make_key: MakeKey, organization: Organization, other_organization: Organization
) -> dict[str, Client]:
    def with_key(**fields: Any) -> Client:
        return Client(headers={"x-api-key": make_key(**fields)[1]})

    def signed_in(email: str, organization: Organization | None, role: str = "member", **fields: Any) -> Client:
        user = User.objects.create_user(email, "a long password", **fields)
        if user.is_staff:
            with_totp(user)
        if organization is not None:
            Membership.objects.create(organization=organization, user=user, role=role)
        client = Client()
        client.force_login(user)
        return client

    key, revoked = make_key()
    revoke_key(actor=SYSTEM, key_id=key.id, reason="test")
    key, expired = make_key()
    ApiKey.objects.filter(id=key.id).update(expires_at=timezone.now() - timedelta(seconds=1))
    return {
        "own": with_key(),
        "other": with_key(organization=other_organization),
        "unscoped": with_key(scopes=["usage:read"]),
        "without usage:read": with_key(scopes=["patients:read"]),
        "revoked": Client(headers={"x-api-key": revoked}),
        "expired": Client(headers={"x-api-key": expired}),
        "anonymous": Client(),
        "staff": signed_in("staff@example.org", None, is_staff=True, is_superuser=True),
        "member": signed_in("member@example.org", organization),
        "admin": signed_in("admin@example.org", organization, "admin"),
        "foreign": signed_in("foreign@example.org", other_organization, "admin"),
    }


WEBHOOK = {"url": "https://93.184.216.34/hook", "events": ["model_run.completed"]}


def own_objects(client: Client, make_key: MakeKey, method: str, route: str) -> dict[str, str]:
    """What the route names, of the organisation that `client` has a key of, and untouched by anybody."""
    names = set(re.findall(r"<\w+:(\w+)>", route)) | ({"recordingUploadUrl"} if method == "PUT" else set())
    objects = {"name": "start.js", "page": "keys", "file": "gitleaks.toml", "uidb36": "0", "key": "0"}
    if names & {"model_run_id", "recordingUploadUrl"}:
        run = create(client)
        objects |= {"model_run_id": run["id"], "recordingUploadUrl": run["recordingUploadUrl"]}
    if names & {"webhook_id", "delivery_id"}:
        WebhookEndpoint.objects.all().delete()  # an organisation may have 20
        webhook = client.post("/v1/webhooks", WEBHOOK, content_type="application/json").json()
        delivery = client.post(f"/v1/webhooks/{webhook['id']}/test").json()
        objects |= {"webhook_id": webhook["id"], "delivery_id": delivery["id"]}
    if names & {"patient_id", "document_id"} or "appointments" in route:
        objects["patient_id"] = create_patient(client)["id"]
    if "export_id" in names:
        export = client.post(f"{PATIENTS}/{objects['patient_id']}/export", content_type="application/json").json()
        objects["export_id"] = export["data"]["id"]
    if names & {"note_id", "session_id"}:
        note = make_note(make_session(make_patient(Organization.objects.get(name="Northern Clinic"))))
        objects |= {"note_id": str(note.pk), "session_id": str(note.session_id), "patient_id": str(note.patient_id)}
    if "appointment_id" in names:
        objects["appointment_id"] = book(client, patient_id=objects["patient_id"])["id"]
    if "document_id" in names:
        document = upload(client, of({"id": objects["patient_id"]})).json()["data"]
        objects |= {"document_id": document["id"], "public_url": document["public_url"]}
    if names & {"key_id", "replacement_token"}:
        key_id = str(make_key()[0].id)
        objects |= {"key_id": key_id, "replacement_token": token_for(key_id)}
    if "resource_id" in names:
        objects["resource_id"] = make_resource(Organization.objects.get(name="Northern Clinic"), route.split("/")[-2])
    if "number" in names:
        clinic = Organization.objects.get(name="Northern Clinic")
        objects["number"] = change_consent_text(actor=SYSTEM, organization_id=clinic.id, text="We listen.")
    if names & {"membership_id", "invitation_id", "token"}:
        objects |= own_people()
    return objects


def own_people() -> dict[str, str]:
    """A member and an invitation with a mailed link, of the organisation in which the runs are."""
    organization = Organization.objects.get(name="Northern Clinic")
    leaver, _ = User.objects.get_or_create(email="leaver@example.org")
    member, _ = Membership.objects.get_or_create(organization=organization, user=leaver)
    invitation = invite_member(actor=SYSTEM, organization=organization, email="guest@example.org", role="member")
    send_due_invitations()
    return {
        "membership_id": str(member.pk),
        "invitation_id": str(invitation.id),
        "token": str(mail.outbox[-1].body).partition("/invitations/")[2].split()[0],
    }


def token_for(key_id: str) -> str:
    """The token of a link to a new key in place of this one."""
    offered = KeyReplacement.objects.create(key_id=key_id, expires_at=timezone.now())
    return renew(offered).rpartition("/")[2]


def ask(client: Client, method: str, route: str, objects: dict[str, str]) -> int:
    path = "/" + re.sub(r"<\w+:(\w+)>", lambda found: objects[str(found[1])], route)
    if route == "browse":
        path += "/"
    if route.startswith("^"):
        path = f"/{route[1:]}/nothing"
    if method == "PUT":
        parts = urlsplit(objects["recordingUploadUrl"])
        path = f"{parts.path}?{parts.query}"
    if route.startswith("documents/"):
        answer: Any = client.get(objects["public_url"].removeprefix(settings.HELIOS_PUBLIC_BASE_URL))
        return len(content_of(answer)) and int(answer.status_code)
    if method == "POST" and route.endswith("/documents"):
        return int(upload(client, path, headers={"accept": "text/html"}).status_code)
    body: Any = minimal_body() if "models" in route else WEBHOOK if "webhooks" in route else {}
    if method == "POST" and route.endswith("ext-api-keys"):
        body = {"name": "new", "scopes": ["model_runs:read"]}
    if method == "PATCH" or (method == "POST" and route.endswith("patients")):
        body = {"status": "COMPLETED"} if "appointments" in route else {"name": "renamed"}
    if route.endswith("/erase"):
        body = {"reason": "test_data"}
    body = {"patient_id": objects["patient_id"], "start_at": START} if route.endswith("appointments") else body
    headers = {"accept": "text/html"} if route.startswith("browse") else {}
    answer = client.generic(method, path, json.dumps(body), content_type="application/json", headers=headers)
    if isinstance(answer, FileResponse):
        content_of(answer)  # which closes the file
    return int(answer.status_code)


@pytest.mark.parametrize(("method", "route"), MATRIX)
def test_the_matrix_holds(method: str, route: str, clients: dict[str, Client], make_key: MakeKey) -> None:
    seen: dict[str, int] = {}
    objects: dict[str, str] = {}
    for caller in Row._fields:
        # A read leaves them as they are, and so must a refusal: the callers after it would be answered otherwise.
        if not objects and ("<" in route or route.endswith("appointments")):
            objects = own_objects(clients["own"], make_key, method, route)
        client = clients["without usage:read" if caller == "unscoped" and "usage" in route else caller]
        seen[caller] = ask(client, method, route, objects)
        if method != "GET" and seen[caller] < 400:
            objects = {}
    assert Row(**seen) == MATRIX[method, route]


def test_the_admin_is_for_staff(clients: dict[str, Client]) -> None:
    assert Row(*[clients[caller].get("/admin/").status_code for caller in Row._fields]) == ADMIN


def test_a_post_without_csrf_token_is_refused_in_the_browsable_api(organization: Organization) -> None:
    user = User.objects.create_user("member@example.org")
    Membership.objects.create(organization=organization, user=user)
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    response = client.post("/browse/v1/models/mental-wellness", minimal_body(), content_type="application/json")
    assert response.status_code == 403
    assert post(client, minimal_body()).status_code == 401
    assert settings.SESSION_COOKIE_HTTPONLY
