"""Objects in an S3-compatible store, streamed through our own view in multipart parts."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from django.conf import settings

PART_BYTES = 8 * 1024 * 1024  # S3 takes parts from 5 MiB on


class S3Writer:
    """At most one part in memory. A write that is not committed aborts its multipart upload."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client = client
        self._target = {"Bucket": bucket, "Key": key}
        self._buffer = bytearray()
        self._upload_id: str | None = None
        self._parts: list[dict[str, Any]] = []
        self._committed = False

    def write(self, piece: bytes) -> None:
        self._buffer += piece
        if len(self._buffer) >= PART_BYTES:
            self._send_part()

    def _send_part(self) -> None:
        if self._upload_id is None:
            self._upload_id = self._client.create_multipart_upload(**self._target)["UploadId"]
        number = len(self._parts) + 1
        reply = self._client.upload_part(
            **self._target, UploadId=self._upload_id, PartNumber=number, Body=bytes(self._buffer)
        )
        self._parts.append({"PartNumber": number, "ETag": reply["ETag"]})
        self._buffer.clear()

    def commit(self) -> None:
        if self._upload_id is None:
            self._client.put_object(**self._target, Body=bytes(self._buffer))
        else:
            if self._buffer:
                self._send_part()
            self._client.complete_multipart_upload(
                **self._target, UploadId=self._upload_id, MultipartUpload={"Parts": self._parts}
            )
        self._committed = True

    def __enter__(self) -> S3Writer:
        return self

    def __exit__(self, *exc: object) -> None:
        if not self._committed and self._upload_id is not None:
            self._client.abort_multipart_upload(**self._target, UploadId=self._upload_id)


class S3Storage:
    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    @classmethod
    def from_settings(cls) -> S3Storage:
        """Without key settings, boto3 finds credentials its own way (instance role, shared file)."""
        client = boto3.client(
            "s3",
            endpoint_url=settings.HELIOS_S3_ENDPOINT_URL or None,
            region_name=settings.HELIOS_S3_REGION,
            aws_access_key_id=settings.HELIOS_S3_ACCESS_KEY_ID or None,
            aws_secret_access_key=settings.HELIOS_S3_SECRET_ACCESS_KEY or None,
            config=Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 3, "mode": "standard"}),
        )
        return cls(client, settings.HELIOS_S3_BUCKET)

    def writer(self, key: str) -> S3Writer:
        return S3Writer(self._client, self._bucket, key)

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        with tempfile.NamedTemporaryFile(prefix="object-") as file:
            try:
                self._client.download_fileobj(self._bucket, key, file)
            except ClientError as error:
                raise _translated(error, key) from error
            file.flush()
            yield Path(file.name)

    def copy(self, source: str, target: str) -> None:
        try:
            self._client.copy({"Bucket": self._bucket, "Key": source}, self._bucket, target)
        except ClientError as error:
            raise _translated(error, source) from error

    def delete(self, key: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=key)

    def keys_before(self, moment: datetime) -> Iterator[str]:
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket):
            for item in page.get("Contents", ()):
                if item["LastModified"] < moment:
                    yield item["Key"]

    def remove_unfinished(self, moment: datetime) -> int:
        removed = 0
        for page in self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket):
            for item in page.get("Uploads", ()):
                if item["Initiated"] < moment:
                    self._client.abort_multipart_upload(Bucket=self._bucket, Key=item["Key"], UploadId=item["UploadId"])
                    removed += 1
        return removed


def _translated(error: Any, key: str) -> Exception:
    missing = error.response.get("Error", {}).get("Code") in ("404", "NoSuchKey")
    translated: Exception = FileNotFoundError(f"object {key}") if missing else error
    return translated
