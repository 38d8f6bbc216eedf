"""Which wellness model scores a run: the pinned one, else the one active for the organisation, else the shipped one."""

from __future__ import annotations

import sys
from functools import lru_cache
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, connection

from apps.model_runs import selectors
from apps.model_runs.model_files import SHIPPED, ModelRefused, digest, read_model
from apps.model_runs.wellness.model import WellnessModel, shipped

log = structlog.get_logger(__name__)

# Models that a process keeps, about a megabyte each; one more is read from PostgreSQL again.
MODELS_KEPT = 16


class ModelUnavailable(Exception):
    """The model that must be used is not there or cannot be read. Another one never takes its place."""


def model_for(organization_id: UUID) -> WellnessModel:
    """The model that scores the organisation's runs from now on. Raises ModelUnavailable.

    At most one query, and another one the first time that this process meets the model.
    """
    if settings.HELIOS_MODEL_VERSION:
        return pinned_model()
    version, sha256 = selectors.active_model(organization_id)
    return shipped() if version is None else _stored(version, sha256)


def pinned_model() -> WellnessModel:
    """The model that HELIOS_MODEL_VERSION, which must be set, names. Raises ModelUnavailable."""
    try:
        return model_of_version(settings.HELIOS_MODEL_VERSION)
    except ModelUnavailable as error:
        raise ModelUnavailable(f"HELIOS_MODEL_VERSION cannot be used: {error}") from error


def model_of_version(version: str) -> WellnessModel:
    """The shipped model by its version or as "shipped", else the stored one. Raises ModelUnavailable."""
    if version == SHIPPED:
        return shipped()
    sha256 = selectors.stored_sha256(version)
    if version == shipped().version:
        if sha256 is None:
            return shipped()
        # A release came with a version that was taken here: nobody may have to guess which one is meant.
        raise ModelUnavailable(f"{version} is both the shipped model and a stored one.")
    if sha256 is None:
        raise ModelUnavailable(f"{version} is neither the shipped model, {shipped().version}, nor a stored one.")
    return _stored(version, sha256)


@lru_cache(MODELS_KEPT)
def _stored(version: str, sha256: str) -> WellnessModel:
    """By the hash of its content: what is kept here can never be outdated."""
    content = selectors.stored_content(version)
    if digest(content) != sha256:
        raise ModelUnavailable(f"The stored model {version} is not what was stored: its SHA-256 differs.")
    try:
        return read_model(content)
    except ModelRefused as error:
        raise ModelUnavailable(f"The stored model {version} cannot be used by this release. {error}") from error


def require_pinned_model() -> None:
    """What a worker does before it starts: exit with one line if a model is pinned that cannot be used.

    A database that is away is no reason to stay away too: each run asks again.
    """
    if not settings.HELIOS_MODEL_VERSION:
        return
    try:
        pinned_model()
    except ModelUnavailable as error:
        sys.exit(str(error))
    except DatabaseError as error:
        log.warning("pinned_model_not_checked", error=str(error))
    finally:
        connection.close()  # the worker's children must not share it
