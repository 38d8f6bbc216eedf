"""Helios from Python: voice wellness checks, patients and webhooks. `Client` blocks, `AsyncClient` is for asyncio."""

from helios_client.client import AsyncClient, Client
from helios_client.errors import (
    ApiError,
    BadRequest,
    Conflict,
    ConnectionFailed,
    HeliosError,
    Invalid,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    RateLimited,
    ServerError,
    TooLarge,
    WaitTimeout,
    WebhookInvalid,
)
from helios_client.exchange import Retries
from helios_client.patients import Baseline, Change, Patient, PatientSummary, Reading, ScoreOverTime, Wellness
from helios_client.runs import (
    Activity,
    Confidence,
    CreatedRun,
    Person,
    Phrase,
    Quality,
    Reason,
    Run,
    Safety,
    Score,
    Scores,
)
from helios_client.version import __version__
from helios_client.webhooks import WebhookEvent, verify_webhook

__all__ = [
    "Activity", "ApiError", "AsyncClient", "BadRequest", "Baseline", "Change", "Client", "Confidence", "Conflict",
    "ConnectionFailed", "CreatedRun", "HeliosError", "Invalid", "NotAuthenticated", "NotFound", "NotPermitted",
    "Patient", "PatientSummary", "Person", "Phrase", "Quality", "RateLimited", "Reading", "Reason", "Retries", "Run",
    "Safety", "Score", "ScoreOverTime", "Scores", "ServerError", "TooLarge", "WaitTimeout", "WebhookEvent",
    "WebhookInvalid", "Wellness", "__version__", "verify_webhook",
]  # fmt: skip
