"""Structured logs: one JSON object a line, with the request id, and never an API key."""

from __future__ import annotations

import logging
import logging.config
import re
from collections.abc import Mapping
from typing import Any

import structlog
from django.conf import settings

from helios_site.api.context import current_request

_KEY = re.compile(r"hlsk_[0-9A-Za-z]+")
_SIGNATURE = re.compile(r"(signature=)[^&\s\"']+")
# Whoever has the rest of such a path has what the mail gives.
_MAILED_LINK = re.compile(r"(/(?:invitations|key-replacements|verify-email|reset-password/[^/\s\"']+)/)[^/?&\s\"']+")
REDACTED_KEY = "hlsk_[redacted]"


def redact(text: str) -> str:
    """`text` without API keys, the signatures of upload URLs and the secrets of mailed links."""
    text = _MAILED_LINK.sub(r"\1[redacted]", _KEY.sub(REDACTED_KEY, text))
    return _SIGNATURE.sub(r"\1[redacted]", text)


def shorten_keys(text: str) -> str:
    """`text` with no more of an API key than the first characters, by which people know it: for what is stored."""
    most = settings.API_KEY_DISPLAY_CHARS
    return _KEY.sub(lambda key: key[0] if len(key[0]) <= most else f"{key[0][:most]}…", text)


def _redact_value(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {key: _redact_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redact_value(item) for item in value]
    return value if isinstance(value, int | float | bool | None) else redact(str(value))


def _redact_event(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    return {key: value if key.startswith("_") else _redact_value(value) for key, value in event.items()}


def _add_request_id(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    request_id = current_request().id
    if request_id:
        event.setdefault("request_id", request_id)
    return event


def configure(*, level: str, form: str) -> None:
    """Send every record of this process to standard error; `form` is `json` or `text`."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_request_id,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.format_exc_info,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "structured": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    # Redaction comes last, so that it also sees tracebacks.
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        _redact_event,
                        renderer,
                    ],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                # The access log is ours (request id, no query string); these repeat it with more.
                "django.server": {"level": "ERROR"},
                "django.request": {"level": "ERROR"},
                "gunicorn.access": {"level": "ERROR"},
                # Celery's INFO lines print task arguments: ids only, but a line per sweep is noise.
                "celery.app.trace": {"level": "WARNING"},
                "celery.worker.strategy": {"level": "WARNING"},
                "celery.beat": {"level": "WARNING"},
            },
        }
    )
