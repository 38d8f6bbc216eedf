"""`ETag` of single objects, `If-Match` on their changes, `If-None-Match` on their reads. All only act when sent."""

from __future__ import annotations

from rest_framework.request import Request

from helios_site.api.families.healos.errors import VersionConflict


def etag(version: int | str) -> str:
    return f'"{version}"'


def expected_version(request: Request, version: int) -> int | None:
    """The version that a change may be made to, if the caller said so. Raises VersionConflict unless `version`, the
    present one, is among those of `If-Match`."""
    sent = request.headers.get("If-Match")
    if sent is None or sent.strip() == "*":
        return None
    if etag(version) not in _tags(sent):
        raise VersionConflict
    return version


def is_known(request: Request, version: int | str) -> bool:
    """Whether the caller has this version already, so that 304 says all."""
    sent = request.headers.get("If-None-Match")
    return sent is not None and (sent.strip() == "*" or etag(version) in _tags(sent))


def _tags(header: str) -> set[str]:
    """A proxy that compresses marks tags as weak, which says nothing about what they name."""
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}
