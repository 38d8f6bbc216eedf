"""What an operator can get wrong, looked at from the machine that runs `manage.py doctor`."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core import mail
from django.db import DatabaseError, connection
from django.db.models import Min
from django.utils import timezone
from kombu.exceptions import OperationalError

from apps.accounts.models import UnsealedEvent, User
from apps.accounts.verification import SEALED_WITHIN_SECONDS
from apps.api_keys import tokens
from apps.api_keys.models import ApiKey
from apps.model_runs.models import ModelRun, Status
from apps.webhooks import signing
from apps.webhooks.models import WebhookSecret
from helios_site import encryption, health
from helios_site.celery import CLOCK_KEY, app

LEAST_FREE_BYTES = 2 * 1024**3
OLDEST_WAITING_SECONDS = 60
MOST_SKEW_SECONDS = 2.0
QUEUES = {
    "runs": "no run is executed and no document checked",
    "housekeeping": "nothing is swept, erased or sealed",
    "webhooks": "nobody is told of events",
}
GUARDS = 5  # triggers of the audit trail and its seals


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, what is wrong with it (empty if nothing), or how it is."""

    subject: str
    problem: str
    state: str = ""


def examine() -> Iterator[Finding]:
    """Every check in turn."""
    return (examine_one(subject) for subject in CHECKS)


def examine_one(subject: str) -> Finding:
    """One of CHECKS. That it cannot be made is a problem, never an exception."""
    try:
        return CHECKS[subject](subject)
    except (DatabaseError, redis.RedisError, OperationalError, OSError) as error:
        return Finding(subject, f"cannot be checked: {type(error).__name__}")


def _settings(subject: str) -> Finding:
    public = urlsplit(settings.HELIOS_PUBLIC_BASE_URL)
    if settings.DEBUG:
        return Finding(subject, "HELIOS_DEBUG is on: error pages show secrets to whoever causes an error")
    if public.scheme == "http" and _is_public():
        return Finding(subject, "HELIOS_PUBLIC_BASE_URL is http: keys and recordings travel readable; use https")
    return Finding(subject, "", f"clients use {settings.HELIOS_PUBLIC_BASE_URL}")


def _mail(subject: str) -> Finding:
    if settings.EMAIL_BACKEND.endswith("console.EmailBackend"):
        if _is_public():
            return Finding(subject, "HELIOS_EMAIL_URL is not set: mails are printed, and reach nobody")
        return Finding(subject, "", "printed to standard output")
    try:
        with mail.get_connection():  # logs in, and sends nothing
            return Finding(subject, "", f"{settings.EMAIL_HOST} takes it")
    except OSError as error:  # of which every fault of smtplib is one
        return Finding(subject, f"{settings.EMAIL_HOST} refuses it ({type(error).__name__}): see HELIOS_EMAIL_URL")


def _is_public() -> bool:
    return urlsplit(settings.HELIOS_PUBLIC_BASE_URL).hostname not in ("127.0.0.1", "localhost", "::1")


def _secrets(subject: str) -> Finding:
    """Whether what is stored under keys of ours can still be read with those that are set."""
    live = ApiKey.objects.filter(revoked_at__isnull=True)
    if lost := live.exclude(pepper_version__in=tokens.pepper_versions()).count():
        return Finding(subject, f"HELIOS_API_KEY_PEPPERS lacks the pepper of {lost} keys: calls with them are refused")
    unreadable = older = 0
    for encrypted, purpose in _encrypted():
        try:
            older += not encryption.is_under_newest(encrypted, purpose=purpose)
        except encryption.CannotDecrypt:
            unreadable += 1
    if unreadable:
        return Finding(
            subject,
            f"HELIOS_ENCRYPTION_KEYS lacks the key of {unreadable} stored secrets: no webhook is signed, or nobody is "
            "let in, by them. Add it",
        )
    return Finding(subject, "", f"all can be read, {older} of them by an older encryption key, which must stay")


def _encrypted() -> Iterator[tuple[bytes, str]]:
    """What is stored encrypted and must outlive a change of keys, and for which purpose."""
    for encrypted in WebhookSecret.objects.values_list("encrypted", flat=True).iterator():
        yield bytes(encrypted), signing.PURPOSE
    for data in Authenticator.objects.values_list("data", flat=True).iterator():
        yield from ((data[name].encode(), "totp") for name in ("secret", "seed") if name in data)


def _permissions(subject: str) -> Finding:
    for path, forbidden in ((settings.DATA_DIR, 0o066), (settings.DATA_DIR / "secrets.json", 0o077)):
        found = path.stat()
        if stat.S_IMODE(found.st_mode) & forbidden:
            return Finding(subject, f"{path} is open to other users: chmod go-rw it")
        if not os.access(path, os.R_OK | os.W_OK):
            return Finding(subject, f"{path} belongs to another user than the one that runs this")
    return Finding(subject, "", f"{settings.DATA_DIR} is ours alone")


def _disk(subject: str) -> Finding:
    folders = (settings.DATA_DIR, _existing(settings.HELIOS_RECORDINGS_DIR))
    free, folder = min((shutil.disk_usage(folder).free, folder) for folder in folders)
    if free < LEAST_FREE_BYTES:
        return Finding(subject, f"{free / 1024**3:.1f} GiB are left at {folder}; uploads are refused when it is full")
    return Finding(subject, "", f"{free / 1024**3:.0f} GiB are free")


def _existing(folder: Path) -> Path:
    """The folder, or the one that it would be made in: the first recording makes it."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def _database(subject: str) -> Finding:
    answer = health._database()
    return Finding(subject, "" if answer == "ok" else answer, "reached, and its migrations are applied")


def _time(subject: str) -> Finding:
    """Leases and deadlines compare the machine's clock with the database's."""
    before = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        theirs = cursor.fetchone()[0]
    between = before + (timezone.now() - before) / 2
    skew = abs((theirs - between).total_seconds())
    if skew > MOST_SKEW_SECONDS:
        return Finding(subject, f"this machine and the database disagree by {skew:.0f} s: set both by NTP")
    return Finding(subject, "", f"this machine and the database agree within {skew + 0.1:.1f} s")


def _staff(subject: str) -> Finding:
    count = User.objects.filter(is_staff=True, is_active=True).count()
    problem = "" if count else "nobody can sign in at /admin/: make somebody with manage.py create_staff"
    return Finding(subject, problem, f"{count} may sign in at /admin/")


def _broker(subject: str) -> Finding:
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
        policy = dict[str, Any](client.config_get("maxmemory-policy")).get("maxmemory-policy")
    if policy != "noeviction":
        return Finding(subject, f"its memory policy is {policy}: set noeviction, or it forgets queued work")
    return Finding(subject, "", "reached")


def _workers(subject: str) -> Finding:
    answers = app.control.inspect(timeout=2).active_queues() or {}
    served = {queue["name"] for queues in answers.values() for queue in queues}
    missing = [f"no worker serves the queue {name}: {effect}" for name, effect in QUEUES.items() if name not in served]
    return Finding(subject, "; ".join(missing), f"{len(answers)} answer")


def _clock(subject: str) -> Finding:
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
        noted: Any = client.get(CLOCK_KEY)
    age = None if noted is None else timezone.now().timestamp() - float(noted)
    if age is None or age > 3 * settings.HELIOS_SWEEP_SECONDS + 30:
        when = "no tick was ever carried out" if age is None else f"the last tick was carried out {age:.0f} s ago"
        return Finding(subject, f"{when}: is beat running, and the worker of housekeeping free?")
    return Finding(subject, "", f"the last tick was carried out {age:.0f} s ago")


def _queue(subject: str) -> Finding:
    waiting = ModelRun.objects.filter(status=Status.RUNNING, lease_expires_at__isnull=True)
    oldest = waiting.aggregate(oldest=Min("run_at"))["oldest"]
    age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    problem = f"a run has waited for {age:.0f} s: workers are missing or too few"
    return Finding(subject, problem if age > OLDEST_WAITING_SECONDS else "", f"the longest wait is {age:.0f} s")


def _audit(subject: str) -> Finding:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'A' AND tgrelid IN"
            " ('accounts_auditevent'::regclass, 'accounts_auditseal'::regclass)"
        )
        guards = cursor.fetchone()[0]
        cursor.execute(
            "SELECT count(*) FROM accounts_auditevent WHERE id = %s AND at < now() - %s * interval '1 second'",
            [UnsealedEvent.objects.aggregate(first=Min("event_id"))["first"], SEALED_WITHIN_SECONDS],
        )
        unsealed = cursor.fetchone()[0]
    if guards != GUARDS:
        return Finding(subject, f"{GUARDS - guards} of its {GUARDS} triggers are off or gone: it can be changed")
    if unsealed:
        return Finding(subject, "events wait for their seals: is the worker of housekeeping running?")
    return Finding(subject, "", "guarded and sealed; verify_audit reads all of it")


CHECKS: dict[str, Callable[[str], Finding]] = {
    "settings": _settings,
    "mail": _mail,
    "data folder": _permissions,
    "disk": _disk,
    "database": _database,
    "time": _time,
    "secrets": _secrets,
    "staff": _staff,
    "broker": _broker,
    "workers": _workers,
    "clock": _clock,
    "queue": _queue,
    "audit trail": _audit,
}
