"""The list of patients as other frameworks make it, with equal features, each called within this process.

What each does: find the key by its digest with one query, apply the rules of revocation, expiry, address and scope,
charge the rate limiter, read how many patients there are and twenty of them, append the audit row, answer the same
JSON with the same headers, and write one line of the access log. Helios does more besides (usage, sessions, CSP), which
the peers are spared.
"""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

import asyncpg
import psycopg
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from fastapi import Depends, FastAPI, Header, Request, Response
from ninja import NinjaAPI
from pydantic import BaseModel
from sqlalchemy import BigInteger, DateTime, String, Uuid, create_engine, func, select, text
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

LIST = "/ext-api/v1/patients"
BARE, NINJA = "/bare/patients", "/ninja/patients"
RATE = 1_000_000
LIMIT = 20
_COUNT = "SELECT coalesce(sum(live), 0) FROM patients_recordcount WHERE organization_id = {0} AND kind = 'patient'"
_PAGE = (
    "SELECT id, name, created_at, external_id FROM patients_patient WHERE organization_id = {0}"
    " AND deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT {1}"
)
_AUDIT = (
    "INSERT INTO accounts_auditevent (at, organization_id, actor_type, actor_id, action, object_type, object_id,"
    " outcome, reason, address, method, path, request_id)"
    " VALUES (now(), {0}, 'key', {1}, 'patient.listed', 'patient', '', 'ok', '', '127.0.0.1', 'GET', {2}, {3})"
)


class Item(BaseModel):
    id: str
    name: str
    created_at: str
    external_id: str | None


class Meta(BaseModel):
    page: int
    limit: int
    total_pages: int


class Page(BaseModel):
    data: list[Item]
    meta: Meta


class Base(DeclarativeBase):
    pass


class Patient(Base):
    __tablename__ = "patients_patient"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    organization_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    name: Mapped[str] = mapped_column(String)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    external_id: Mapped[str | None] = mapped_column(String)
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Count(Base):
    __tablename__ = "patients_recordcount"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    organization_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    kind: Mapped[str] = mapped_column(String)
    live: Mapped[int] = mapped_column(BigInteger)


class AuditEvent(Base):
    __tablename__ = "accounts_auditevent"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=func.now())
    organization_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    actor_type: Mapped[str] = mapped_column(String, default="key")
    actor_id: Mapped[str] = mapped_column(String)
    action: Mapped[str] = mapped_column(String, default="patient.listed")
    object_type: Mapped[str] = mapped_column(String, default="patient")
    object_id: Mapped[str] = mapped_column(String, default="")
    outcome: Mapped[str] = mapped_column(String, default="ok")
    reason: Mapped[str] = mapped_column(String, default="")
    address: Mapped[str] = mapped_column(INET)
    method: Mapped[str] = mapped_column(String)
    path: Mapped[str] = mapped_column(String)
    request_id: Mapped[str] = mapped_column(String)


def admitted(find: Callable[[list[bytes]], Any], raw_key: str) -> Any:
    """The key if it is good for the list, or None; `find` makes the one query."""
    from apps.api_keys import tokens

    return _judged(find(tokens.digests(raw_key)) if tokens.is_well_formed(raw_key) else None)


def _judged(key: Any) -> Any:
    from django.utils import timezone

    from apps.api_keys import refusals
    from apps.api_keys.scopes import allows

    if key is None or refusals.refusal(key, timezone.now(), "127.0.0.1") is not None:
        return None
    return key if allows(key.scopes, "patients:read") else None


def limited(key: Any, name: str) -> dict[str, str]:
    """The limit headers, after the one call of the limiter."""
    from helios_site.api import ratelimit
    from helios_site.env import Rate

    decision = ratelimit.charge(f"{name}:{key.bucket}", Rate(RATE, 60))
    assert decision.allowed
    return {
        "X-RateLimit-Limit": str(decision.limit),
        "X-RateLimit-Remaining": str(decision.remaining),
        "X-RateLimit-Reset": str(decision.reset_epoch),
    }


def meta(total: int) -> dict[str, int]:
    return {"page": 1, "limit": LIMIT, "total_pages": -(-total // LIMIT)}


def install_in_django() -> None:
    """The bare view, and that of django-ninja, behind the middleware that the API has."""
    from django.urls import path

    from apps.accounts import audit
    from apps.api_keys.selectors import find_record
    from apps.patients.selectors import count_records, list_patients
    from apps.patients.serializers import LIST_FIELDS, patient_item
    from helios_site import urls

    def read(request: HttpRequest, name: str) -> tuple[list[Any], dict[str, int]]:
        key = admitted(find_record, request.headers.get("x-api-key", ""))
        assert key is not None
        request.rate_limit_headers = limited(key, name)  # type: ignore[attr-defined]
        total = count_records(key.organization_id, "patient")
        rows = list(list_patients(key.organization_id).values(*LIST_FIELDS)[:LIMIT])
        audit.record("patient.listed", actor=key.actor, organization_id=key.organization_id, object_type="patient")
        return [patient_item(row) for row in rows], meta(total)

    def bare(request: HttpRequest) -> HttpResponse:
        items, about = read(request, "bare")
        response = JsonResponse(
            {"data": items, "meta": about}, json_dumps_params={"separators": (",", ":"), "ensure_ascii": False}
        )
        for header, value in request.rate_limit_headers.items():  # type: ignore[attr-defined]
            response.headers[header] = value
        return response

    api = NinjaAPI(docs_url=None, openapi_url=None)

    @api.get("/patients", response=Page)
    def patients(request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
        items, about = read(request, "ninja")
        for header, value in request.rate_limit_headers.items():  # type: ignore[attr-defined]
            response.headers[header] = value
        return {"data": items, "meta": about}

    urls.urlpatterns[:0] = [path(BARE.removeprefix("/"), bare), path("ninja/", api.urls)]


class AsgiCaller:
    """Calls an ASGI application in this process on a loop that stays."""

    def __init__(self, application: Any, loop: asyncio.AbstractEventLoop, key: str, path: str = LIST) -> None:
        self._application, self._loop = application, loop
        self._scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
            "headers": [(b"host", b"127.0.0.1:8000"), (b"x-api-key", key.encode())],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000),
        }  # fmt: skip

    def __call__(self) -> bytes:
        return self._loop.run_until_complete(self._call())

    async def _call(self) -> bytes:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._application({**self._scope, "state": {}}, receive, send)
        content = b"".join(message.get("body", b"") for message in sent)
        assert sent[0]["status"] == 200, content
        return content


def _fastapi() -> Any:
    """An application that logs and names requests."""

    from helios_site.api.middleware import access_log

    application = FastAPI(docs_url=None, openapi_url=None)

    @application.middleware("http")
    async def named(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        request.state.id = str(uuid.uuid4())
        response = await call_next(request)
        response.headers["X-Request-ID"] = request.state.id
        access_log.info("request", method=request.method, path=request.url.path, status=response.status_code)
        return response

    return application


def fastapi_with_sqlalchemy() -> Any:
    """Mapped classes, a session for each call, and functions that FastAPI runs in its threads."""

    from apps.api_keys.selectors import _FIND, KeyRecord
    from helios_site.api.families.healos.fields import timestamp

    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(**connection_parameters()), pool_size=4
    )
    sessions = sessionmaker(engine)
    application = _fastapi()
    find = text(_FIND.format(":digest"))

    def database() -> Any:
        with sessions() as session:
            yield session

    @application.get(LIST, response_model=Page)
    def patients(
        request: Request,
        response: Response,
        x_api_key: Annotated[str, Header()],
        session: Annotated[Session, Depends(database)],
    ) -> Any:
        def found(digests: list[bytes]) -> Any:
            row = session.execute(find, {"digest": digests[0]}).first()
            return None if row is None else KeyRecord._make(row)

        key = admitted(found, x_api_key)
        assert key is not None
        response.headers.update(limited(key, "sqlalchemy"))
        counts = select(func.coalesce(func.sum(Count.live), 0)).where(
            Count.organization_id == key.organization_id, Count.kind == "patient"
        )
        total = int(session.scalar(counts) or 0)
        rows = session.scalars(
            select(Patient)
            .where(Patient.organization_id == key.organization_id, Patient.deleted_at.is_(None))
            .order_by(Patient.created_at.desc(), Patient.id.desc())
            .limit(LIMIT)
        )
        items = [
            {
                "id": str(row.id),
                "name": row.name,
                "created_at": timestamp(row.created_at),
                "external_id": row.external_id,
            }
            for row in rows
        ]
        session.add(
            AuditEvent(
                organization_id=key.organization_id,
                actor_id=str(key.id),
                address="127.0.0.1",
                method=request.method,
                path=request.url.path,
                request_id=request.state.id,
            )
        )
        session.commit()
        return {"data": items, "meta": meta(total)}

    return application


def fastapi_with_asyncpg(loop: asyncio.AbstractEventLoop) -> Any:
    """Statements by hand on a pool, the reply as one JSON text: as fast as Python does it."""

    from apps.api_keys import tokens
    from apps.api_keys.selectors import _FIND, KeyRecord
    from helios_site.api.families.healos.fields import timestamp

    parameters = connection_parameters()
    parameters["database"] = parameters.pop("dbname")

    async def connected() -> Any:
        return await asyncpg.create_pool(**parameters, min_size=1, max_size=4)

    pool = loop.run_until_complete(connected())
    application = _fastapi()
    find, count = _FIND.format("$1"), _COUNT.format("$1")
    page, insert = _PAGE.format("$1", "$2"), _AUDIT.format("$1", "$2", "$3", "$4")

    @application.get(LIST)
    async def patients(request: Request, x_api_key: Annotated[str, Header()]) -> Response:
        async with pool.acquire() as connection:
            digests = tokens.digests(x_api_key) if tokens.is_well_formed(x_api_key) else None
            found = None if digests is None else await connection.fetchrow(find, digests[0])
            key = _judged(None if found is None else KeyRecord._make(found.values()))
            assert key is not None
            headers = limited(key, "asyncpg")
            total = int(await connection.fetchval(count, key.organization_id))
            rows = await connection.fetch(page, key.organization_id, LIMIT)
            await connection.execute(insert, key.organization_id, str(key.id), request.url.path, request.state.id)
        items = [
            {
                "id": str(row["id"]),
                "name": row["name"],
                "created_at": timestamp(row["created_at"]),
                "external_id": row["external_id"],
            }
            for row in rows
        ]
        body = json.dumps({"data": items, "meta": meta(total)}, ensure_ascii=False, separators=(",", ":"))
        return Response(body, media_type="application/json", headers=headers)

    return application


def connection_parameters() -> dict[str, Any]:
    database: dict[str, Any] = settings.DATABASES["default"]
    named = {"host": database["HOST"], "user": database["USER"], "password": database["PASSWORD"]}
    port = {"port": int(database["PORT"])} if database["PORT"] else {}
    return {**named, **port, "dbname": database["NAME"]}
