"""The hash of a body that an `Idempotency-Key` is bound to, taken without holding what is large."""

from __future__ import annotations

import hashlib
import io
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.test import RequestFactory

from helios_site.api.families.idempotency import BodyHash


def request_of(body: bytes) -> WSGIRequest:
    return RequestFactory().post("/", body, content_type="application/octet-stream")


def test_a_large_body_is_hashed_while_it_is_read_and_not_held(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = b"line\n" * 1000
    request = request_of(body)
    found = BodyHash(request)
    assert not hasattr(request, "_body")
    assert request.readline() + request.read(995) == body[:1000]
    assert not found.is_whole
    assert request.read() == body[1000:]
    assert found.is_whole
    assert found.of_whole() == hashlib.sha256(body).hexdigest() == BodyHash(request_of(body)).of_whole()


def test_a_form_with_files_is_parsed_as_ever_while_it_is_hashed(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    file = io.BytesIO(b"x" * 5000)
    file.name = "scan.pdf"
    request = RequestFactory().post("/", {"file": file, "title": "a"})
    found = BodyHash(request)
    assert request.POST["title"] == "a"
    sent: Any = request.FILES["file"]
    assert sent.size == 5000
    assert found.is_whole
