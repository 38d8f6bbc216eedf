"""A person of whom Helios keeps everything that it can keep, each text marked so that it is found again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from psycopg.sql import SQL, Identifier

from apps.accounts.audit import SYSTEM
from apps.accounts.models import Organization
from apps.model_runs.models import ModelRun
from apps.patients.models import Patient
from apps.webhooks.event_types import EVENT_TYPES
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint
from apps.webhooks.services import create_endpoint
from helios_site.models import IdempotentReply
from helios_site.storage import object_store
from tests.contract.healos.calls import send
from tests.contract.healos.patients import PATIENTS
from tests.model_runs.conftest import OK, MakeRun
from tests.patients.people import MARKED, Kept, keep, rich

__all__ = ["Person", "anywhere", "make_person", "rows_with", "where"]
OF_RUNS = ("label", "accent", "tag", "transcript", "phrase", "warning", "recording")


class Person(NamedTuple):
    kept: Kept
    finished: ModelRun
    running: ModelRun  # a worker has it
    path: str  # of the patient in the API

    @property
    def runs(self) -> tuple[UUID, UUID]:
        return self.finished.id, self.running.id


def canaries(mark: str) -> list[str]:
    return [f"{mark}-{name}" for name in (*MARKED, *OF_RUNS)]


MakePerson = Callable[..., Person]


@pytest.fixture
def make_person(
    api: Client, organization: Organization, make_run: MakeRun, make_running: MakeRun, make_finished: MakeRun
) -> MakePerson:
    """`make_person(mark)` → a person of `organization`, made over the API with an `Idempotency-Key` where it can be,
    and whose runs webhooks were told of."""

    def make(mark: str = "canary") -> Person:
        if not WebhookEndpoint.objects.filter(organization=organization).exists():
            create_endpoint(
                actor=SYSTEM,
                organization_id=organization.id,
                url="https://93.184.216.34/hook",
                events=list(EVENT_TYPES),
            )
        body = {
            "name": f"{mark}-name",
            "pronouns": f"{mark}-pronouns",
            "notes": f"{mark}-patient-notes",
            "external_id": f"{mark}-patient-external",
            "consent": True,
        }
        answer = send(api, "POST", PATIENTS, body, headers={"idempotency-key": mark})
        assert answer.status_code == 201, answer.content
        patient: Patient = Patient.objects.get(pk=answer.json()["data"]["id"])
        Patient.objects.filter(pk=patient.pk).update(**rich(mark))
        kept = keep(patient, mark)
        fields: dict[str, Any] = {
            "user_label": f"{mark}-label",
            "accent": f"{mark}-accent",
            "tags": ({"name": "ward", "value": f"{mark}-tag"},),
            "content": f"{mark}-recording".encode(),
        }
        said = {"selfHarmLanguage": True, "phrases": [{"startSecs": 1.0, "finishSecs": 2.0, "text": f"{mark}-phrase"}]}
        analysis = replace(OK, transcript=f"{mark}-transcript", warnings=(f"{mark}-warning",), safety=said)
        finished, running = make_finished(analysis=analysis, **fields), make_running(**fields)
        ModelRun.objects.filter(id__in=[finished.id, running.id]).update(patient=patient)
        endpoint = WebhookEndpoint.objects.get(organization=organization)
        WebhookDelivery.objects.create(
            endpoint=endpoint, event="document.ready", object_id=kept.document.id, body=f"{mark}-file.pdf"
        )
        IdempotentReply.objects.create(
            scope=f"{mark}-run",
            organization_id=organization.id,
            body_sha256="",
            status=200,
            object_ids=[str(finished.id)],
        )
        return Person(kept, finished, running, f"{PATIENTS}/{patient.pk}")

    return make


def rows_with(*canaries: str) -> dict[str, list[str]]:
    """For each text a table's name for each row that holds it, by the row's own text form, be it as bytes."""
    found: dict[str, list[str]] = {canary: [] for canary in canaries}
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        for (table,) in cursor.fetchall():
            cursor.execute(SQL("SELECT one::text FROM {} AS one").format(Identifier(table)))
            for (row,) in cursor.fetchall():
                for canary in canaries:
                    found[canary] += [table] * (canary in row or canary.encode().hex() in row)
    return found


def anywhere(*canaries: str) -> dict[str, list[str]]:
    """For each text the tables, objects of the storage and keys of Valkey that hold it."""
    found = rows_with(*canaries)
    for place, content in (*_objects(), *_valkey()):
        for canary in canaries:
            found[canary] += [place] * (canary.encode() in content)
    return {canary: sorted(places) for canary, places in found.items()}


def _objects() -> Iterator[tuple[str, bytes]]:
    for key in object_store().keys_before(timezone.now() + timedelta(days=1)):
        with object_store().local_path(key) as path:
            yield key, key.encode() + path.read_bytes()


def _valkey() -> Iterator[tuple[str, bytes]]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        reading: dict[bytes, Callable[[bytes], Any]] = {
            b"string": client.get,
            b"hash": client.hgetall,
            b"list": lambda key: client.lrange(key, 0, -1),
            b"set": client.smembers,
            b"zset": lambda key: client.zrange(key, 0, -1),
        }
        for key in client.scan_iter():
            yield key.decode(), key + repr(reading[client.type(key)](key)).encode()


def where(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """Those that were found at all."""
    return {canary: places for canary, places in found.items() if places}
