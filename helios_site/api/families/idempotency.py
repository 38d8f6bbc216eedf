"""`Idempotency-Key`: a POST that is sent again with the same key does its work once and is answered as the first time.

Everything happens in the transaction of the write: a lock of PostgreSQL says that the call is under way, the write and
its reply commit together, and a crash takes the lock along. A caller who loses the network thus never finds the one
without the other.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import BadRequest
from django.db import connection, transaction
from django.http import HttpRequest
from django.http.request import UnreadablePostError
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from helios_site.api.families.strict_json import announced_length
from helios_site.encryption import CannotDecrypt, decrypt, encrypt
from helios_site.models import IdempotentReply

HEADER, IN_META = "Idempotency-Key", "HTTP_IDEMPOTENCY_KEY"
REPLAYED = "Idempotent-Replayed"
MAX_CHARS = 255
PATTERN = "[!-~]([ -~]{0,253}[!-~])?"  # printable ASCII; spaces around a header's value are no part of it
INVALID = f"must have 1 to {MAX_CHARS} printable ASCII characters"
NOT_TAKEN = "must not be sent with this call, whose reply is not kept"
KEPT_HOURS = 24
# A server that vanished without closing its connection: PostgreSQL ends its idle transaction, and with it the lock.
LOCK_SECONDS = 60
BATCH = 5000

_PURPOSE = "idempotent reply"
_PIECE_BYTES = 256 * 1024
_OBJECT_NAMES = ("id", "patientId", "patient_id")

Work = Callable[[], HttpResponseBase]


class Refused(APIException):
    """The call is not done, since another one carried the same key. Families answer it with its status and text."""

    def __init__(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.status_code, self.headers = status, headers


class SecretReply(Response):
    """A reply that shows a secret: it is never stored, and a call that would repeat it is refused."""


class BodyHash:
    """SHA-256 of a request's body. A body that fits into memory is read at once; of a larger one each piece counts as
    the view reads it, so that it is not held for this."""

    def __init__(self, request: Any) -> None:
        self._sha256 = hashlib.sha256()
        self._left = announced_length(request)
        self._stream: Any = None
        if hasattr(request, "_body"):  # the check of CSRF has read a form
            self._count(request.body)
        elif not request._read_started and self._left > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            self._stream, request._stream = request._stream, self
        elif not request._read_started:
            self._count(request.body)  # stays there for the view

    def read(self, *size: int) -> bytes:
        return self._count(self._stream.read(*size))

    def readline(self, *size: int) -> bytes:
        return self._count(self._stream.readline(*size))

    def _count(self, piece: bytes) -> bytes:
        self._sha256.update(piece)
        self._left -= len(piece)
        return piece

    @property
    def is_whole(self) -> bool:
        return self._left == 0

    def of_whole(self) -> str:
        """In hexadecimal, after reading what is left."""
        while self._stream is not None and self.read(_PIECE_BYTES):
            pass
        return self._sha256.hexdigest()


@dataclass(frozen=True, slots=True)
class Call:
    """One POST with a key."""

    organization_id: UUID
    scope: str
    body: BodyHash
    path_ids: tuple[str, ...]


def call_of(request: HttpRequest, *, organization_id: UUID, path_ids: Iterable[str]) -> Call | None:
    """The call, which has an `Idempotency-Key`; None where that is no valid one."""
    key = request.META[IN_META].strip()
    if re.fullmatch(PATTERN, key) is None:
        return None
    path = request.path_info.rstrip("/")  # with a slash the same view answers
    scope = hashlib.sha256(f"{organization_id}\n{request.method}\n{path}\n{key}".encode()).hexdigest()
    try:
        body = BodyHash(request)
    except UnreadablePostError:
        raise BadRequest("the body ended early") from None
    return Call(organization_id, scope, body, tuple(map(_canonical, path_ids)))


def once(call: Call, work: Work, *, on_replay: Callable[[str], None]) -> HttpResponseBase:
    """The reply of `work`, which runs at most once for each key; later calls get what it replied.

    What is answered with 429 or 5xx is undone and may be tried again, and so may what a record that a 409 shows was in
    the way of: that record changes, and is erased, by itself. `on_replay` gets the id of the object that the
    kept reply is about. Raises Refused: 409 while the first call is under way or when its reply showed a secret, 422
    for another body.
    """
    with transaction.atomic():
        kept = _begin(call)
        if kept is None:
            reply = work()
            if reply.status_code == 429 or reply.status_code >= 500:
                transaction.set_rollback(True)
            elif isinstance(reply, Response) and call.body.is_whole and not _shows_another(reply):
                _keep(call, reply)
            return reply
        if kept.body_sha256 != call.body.of_whole():
            raise Refused(422, f"This {HEADER} was used for another body. Use a new one.")
        replay = _replay(kept)
        on_replay(kept.object_ids[0] if kept.object_ids else "")
    return replay


def forget(organization_id: UUID, object_ids: Iterable[object]) -> None:
    """Remove the replies about objects that are being erased, in the transaction that erases them."""
    named = IdempotentReply.objects.filter(object_ids__overlap=[str(object_id) for object_id in object_ids])
    named.filter(organization_id=organization_id).delete()


def forget_all(organization_id: UUID) -> None:
    """Remove every reply of an organisation that is being erased."""
    IdempotentReply.objects.filter(organization_id=organization_id).delete()


def remove_old_replies() -> int:
    """Remove the replies whose time is over; how many."""
    old = IdempotentReply.objects.filter(created_at__lte=timezone.now() - timedelta(hours=KEPT_HOURS))
    removed = 0
    while some := list(old.values_list("scope", flat=True)[:BATCH]):
        removed += IdempotentReply.objects.filter(scope__in=some).delete()[0]
    return removed


def _begin(call: Call) -> IdempotentReply | None:
    """What is kept of the call; None if it is now this transaction's to do."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('idle_in_transaction_session_timeout', %s, true), pg_try_advisory_xact_lock(%s)",
            [f"{LOCK_SECONDS}s", int.from_bytes(bytes.fromhex(call.scope)[:8], signed=True)],
        )
        [(_, is_mine)] = cursor.fetchall()
    # A statement of its own, so that it sees what the holder of the lock before committed.
    since = timezone.now() - timedelta(hours=KEPT_HOURS)
    kept = IdempotentReply.objects.filter(scope=call.scope, created_at__gt=since).first()
    if kept is None and not is_mine:
        raise Refused(409, f"The first call with this {HEADER} is still under way.", {"Retry-After": "1"})
    return kept


def _shows_another(reply: Response) -> bool:
    """Whether it shows a record that nobody has locked: an erasure at the same moment would not find the reply."""
    return reply.status_code == 409 and isinstance(reply.data, Mapping) and "data" in reply.data


def _keep(call: Call, reply: Response) -> None:
    ids = dict.fromkeys([*_ids_in(reply.data), *call.path_ids])
    row = IdempotentReply(
        scope=call.scope,
        organization_id=call.organization_id,
        body_sha256=call.body.of_whole(),
        status=reply.status_code,
        encrypted=None if isinstance(reply, SecretReply) else _encrypted(reply),
        object_ids=list(ids),
    )
    # The only row that can be in the way is one whose time is over.
    changes = ["body_sha256", "status", "encrypted", "object_ids", "created_at"]
    IdempotentReply.objects.bulk_create([row], update_conflicts=True, unique_fields=["scope"], update_fields=changes)


def _encrypted(reply: Response) -> bytes:
    headers = {name: value for name, value in reply.items() if name != "Content-Type"}
    whole: bytes = JSONRenderer().render({"data": reply.data, "headers": headers})
    return encrypt(whole.decode(), purpose=_PURPOSE)


def _replay(kept: IdempotentReply) -> Response:
    try:
        if kept.encrypted is None:
            raise CannotDecrypt
        reply = json.loads(decrypt(bytes(kept.encrypted), purpose=_PURPOSE))
    except CannotDecrypt:
        made = f" It is about {kept.object_ids[0]}." if kept.object_ids else ""
        raise Refused(
            409,
            f"The call with this {HEADER} was done already, and its reply is not repeated, since secrets are not "
            f"stored.{made} If the secret never arrived, replace what it belongs to, with a new {HEADER}.",
        ) from None
    return Response(reply["data"], status=kept.status, headers={**reply["headers"], REPLAYED: "true"})


def _ids_in(data: Any) -> Iterator[str]:
    """The objects that a reply names, however deep."""
    if isinstance(data, Mapping):
        for name, value in data.items():
            if name in _OBJECT_NAMES and isinstance(value, str):
                yield value
            else:
                yield from _ids_in(value)
    elif isinstance(data, list):
        for value in data:
            yield from _ids_in(value)


def _canonical(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return text
