"""What the admins of an organisation that closes may take along."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from zipfile import ZipFile

import psycopg
import pytest
import time_machine
from django.conf import settings
from django.core import mail
from django.test import Client
from django.utils import timezone

from apps.accounts import audit, closing, closing_notices
from apps.accounts.archive_links import archive_url
from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.accounts.sealing import seal_waiting
from apps.api_keys.models import ApiKey
from apps.model_runs import archive, services, zip_archive
from apps.model_runs.models import ModelRun
from apps.model_runs.services import closing as closings
from apps.model_runs.services import housekeeping
from helios_site.storage import StorageFull
from tests.conftest import database_url_of_tests
from tests.model_runs.conftest import OK, MakeRun, exists, make_finished, make_run, make_running
from tests.model_runs.tenants import (
    AFTER,
    KEY_NAME,
    LABEL,
    SOUND,
    WEBHOOK,
    Tenant,
    close,
    exported,
    stored,
    tenant,
)

__all__ = ["make_finished", "make_run", "make_running", "tenant"]  # fixtures

pytestmark = pytest.mark.django_db


def signed_in(organization: Organization) -> Client:
    client = Client()
    client.force_login(User.objects.get(memberships__organization=organization, memberships__role="admin"))
    return client


def link(organization: Organization) -> str:
    return archive_url(organization).removeprefix(settings.HELIOS_PUBLIC_BASE_URL)


def status(client: Client, url: str, method: str = "get") -> int:
    reply = getattr(client, method)(url)
    if reply.streaming:
        list(reply.streaming_content)  # whoever reads to the end has the archive closed
    return int(reply.status_code)


def test_an_admin_downloads_everything_by_the_mailed_link(tenant: Tenant) -> None:
    organization = tenant("Canary Clinic")
    seal_waiting()
    exported(organization)
    closing_notices.send_due_notices()
    assert archive_url(organization) in mail.outbox[-1].body
    reply = signed_in(organization).get(link(organization))
    assert reply.status_code == 200
    assert reply.headers["Content-Type"] == "application/zip"
    assert reply.headers["Content-Disposition"].startswith(f'attachment; filename="helios-{organization.id}-')
    assert reply.headers["Cache-Control"] == "private, no-store"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    with ZipFile(io.BytesIO(b"".join(reply.streaming_content))) as whole:  # type: ignore[attr-defined]
        assert whole.testzip() is None
        files = {name: whole.read(name) for name in whole.namelist()}
    runs = [json.loads(line) for line in files["runs.ndjson"].splitlines()]
    assert sorted(run["status"] for run in runs) == ["COMPLETE_OK", "CREATED", "RUNNING"]
    [ok] = [run for run in runs if run["status"] == "COMPLETE_OK"]
    assert (ok["user_label"], ok["transcript"], ok["scores"]) == (LABEL, OK.transcript, OK.scores)
    assert files[f"recordings/{ok['id']}"] == SOUND
    assert sum(name.startswith("recordings/") for name in files) == 2
    [patient] = [json.loads(line) for line in files["patients.ndjson"].splitlines()]
    assert (patient["name"], patient["email"]) == ("canary-name", "canary-email@example.net")
    for kind, field in (
        ("appointments", "notes"),
        ("documents", "filename"),
        ("sessions", "text"),
        ("notes", "content"),
    ):
        [row] = [json.loads(line) for line in files[f"{kind}.ndjson"].splitlines()]  # without the deleted patient's
        assert row["patient_id"] == patient["id"]
        assert row[field].startswith("canary-"), kind
    [document] = [name for name in files if name.startswith("documents/")]
    assert files[document] == b"canary-document-bytes"
    about = json.loads(files["organization.json"])
    assert (about["name"], about["time_zone"]) == ("Canary Clinic", "")
    assert [one["role"] for one in json.loads(files["members.json"])] == ["admin"]
    assert [one["name"] for one in json.loads(files["api_keys.json"])] == [KEY_NAME]
    assert [one["url"] for one in json.loads(files["webhooks.json"])] == [WEBHOOK]
    events = [json.loads(line) for line in files["audit-events.ndjson"].splitlines()]
    assert "api_key.created" in {event["action"] for event in events}
    assert all(event["organization_id"] == str(organization.id) for event in events)
    assert events[0]["hash"]
    assert f"{organization.id}" in AuditEvent.objects.get(action="organization.archive_downloaded").object_id


def test_no_secret_and_no_other_organisation_is_in_the_archive(tenant: Tenant) -> None:
    organization = tenant("Canary Clinic")
    other = tenant("Southern Clinic")
    pieces: list[bytes] = []
    archive.write_archive(organization, pieces.append)
    with ZipFile(io.BytesIO(b"".join(pieces))) as whole:
        text = b"".join(whole.read(name) for name in whole.namelist()).decode()
    key = ApiKey.objects.get(organization=organization)
    for secret in (bytes(key.digest).hex(), "digest", "pepper", "whsec_", "gAAAA", "recording_key", "password"):
        assert secret not in text, secret
    assert str(other.id) not in text
    assert "Southern Clinic" not in text
    assert text.count(SOUND.decode()) == 2


def test_what_was_promised_to_be_erased_is_not_in_the_archive(make_finished: MakeRun) -> None:
    run = make_finished(delete_data=True)
    with time_machine.travel(timezone.now() + timedelta(hours=13)):
        pieces: list[bytes] = []
        assert archive.write_archive(run.organization, pieces.append) == "0 patients, 0 documents, 0 runs, 0 recordings"


def test_the_archive_is_written_in_small_pieces(make_running: MakeRun) -> None:
    run = make_running(content=bytes(5 << 20))
    sizes: list[int] = []
    archive.write_archive(run.organization, lambda piece: sizes.append(len(piece)))
    assert sum(sizes) > 5 << 20
    assert max(sizes) <= zip_archive.PIECE_BYTES


def test_the_link_is_good_for_a_signed_in_admin_until_the_closing_ends(
    tenant: Tenant, other_organization: Organization
) -> None:
    organization = tenant("Canary Clinic")
    close(organization)
    organization.refresh_from_db()
    ours, url = signed_in(organization), link(organization)
    assert status(ours, url) == 404, "not made yet"
    assert services.export_organization(organization_id=organization.id)
    assert f"{settings.HELIOS_PUBLIC_BASE_URL}{url}" in ours.get("/organization/close").content.decode()
    assert status(ours, url) == 200
    assert status(ours, url, "head") == 200
    assert status(ours, url[:-1] + ("a" if url[-1] != "a" else "b")) == 404
    assert status(ours, "/organization/archive") == 404
    assert Client().get(url).headers["Location"].startswith("/login?next=")
    stranger, member = User.objects.create_user("b@example.org"), User.objects.create_user("c@example.org")
    Membership.objects.create(organization=other_organization, user=stranger, role="admin")
    Membership.objects.create(organization=organization, user=member, role="member")
    for user in (stranger, member):
        client = Client()
        client.force_login(user)
        assert status(client, url) == 404
    with time_machine.travel(timezone.now() + AFTER):
        assert status(signed_in(organization), url) == 404
    closing.reopen_organization(actor=audit.SYSTEM, organization_id=organization.id, by="x")
    assert status(ours, url) == 404
    exported(organization)
    assert status(ours, url) == 404, "the link of an earlier closing"
    assert status(ours, link(organization)) == 200


def test_one_archive_is_made_however_often_it_is_asked_for(tenant: Tenant) -> None:
    organization = tenant("Canary Clinic")
    assert not services.export_organization(organization_id=organization.id), "not closing"
    close(organization)
    with psycopg.connect(database_url_of_tests()) as other:
        name = f"archive {organization.id}"
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
        assert not services.export_organization(organization_id=organization.id), "another worker is at it"
        other.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])
    assert services.export_organization(organization_id=organization.id)
    assert not services.export_organization(organization_id=organization.id)
    assert len([key for key in stored() if closings.is_archive(key) and key.startswith(str(organization.id))]) == 1


def test_an_archive_that_finds_no_room_is_made_later(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    organization = tenant("Canary Clinic")
    close(organization)

    def full(organization: Organization, write: Callable[[bytes], object]) -> str:
        write(b"the first piece")
        raise StorageFull

    with monkeypatch.context() as patch:
        patch.setattr(closings, "write_archive", full)
        assert not services.export_organization(organization_id=organization.id)
    assert not any(closings.is_archive(key) for key in stored(organization))
    assert services.export_organization(organization_id=organization.id)


def test_an_archive_that_was_overtaken_by_a_reopening_is_thrown_away(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization = tenant("Canary Clinic")
    close(organization)

    def slow(organization: Organization, write: Callable[[bytes], object]) -> str:
        write(b"content")
        closing.reopen_organization(actor=audit.SYSTEM, organization_id=organization.id, by="x")
        return "content"

    monkeypatch.setattr(closings, "write_archive", slow)
    assert not services.export_organization(organization_id=organization.id)
    assert not any(closings.is_archive(key) for key in stored(organization))


def test_beat_asks_for_the_archives_that_are_missing(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[tuple[str, str]] = []
    monkeypatch.setattr(closings, "ring", lambda task, *arguments: rung.append((task, *arguments)))
    missing, made = close(tenant("Canary Clinic")), exported(tenant("Southern Clinic"))
    services.look_after_closings()
    assert rung == [("helios.runs.export_organization", str(missing.id))]
    assert made.archive_key in stored(made)


def test_the_clean_up_keeps_an_archive_until_its_closing_ends(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "LEFTOVER_AGE", timedelta(seconds=-5))
    organization = exported(tenant("Canary Clinic"))
    services.remove_leftovers()
    assert exists(organization.archive_key)
    closing.reopen_organization(actor=audit.SYSTEM, organization_id=organization.id, by="x")
    services.remove_leftovers()
    assert not exists(organization.archive_key)
    assert ModelRun.objects.filter(organization=organization).exclude(recording_key="").count() == 2
