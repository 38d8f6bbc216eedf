"""API keys. The raw key is never here: a row holds its keyed digest and what the key may do."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from apps.accounts.models import AdminNotice, Organization

REASONS_IN_WORDS = {
    "leak_report": "somebody who held the whole key reported it as leaked",
    "github_secret_scanning": "GitHub found it in public",
}

UNUSED_DAYS = 90  # a live key that was not used for so long may be one that nobody looks after


class ApiKey(models.Model):
    """One credential of an organisation. Rows are never deleted, so that a leaked key can always be traced."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=100)
    key_prefix = models.CharField(max_length=16, editable=False, db_index=True)  # for display and search only
    digest = models.BinaryField(max_length=32, unique=True, editable=False)  # HMAC-SHA-256(pepper, raw key)
    pepper_version = models.CharField(max_length=16, editable=False)  # fingerprint of the pepper that made the digest
    scopes = ArrayField(models.CharField(max_length=40), default=list, blank=True)  # empty means: may do nothing
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    revoked_reason = models.CharField(max_length=500, blank=True, editable=False)
    superseded_by = models.ForeignKey("self", null=True, blank=True, editable=False, on_delete=models.PROTECT)
    grace_ends_at = models.DateTimeField(null=True, blank=True, editable=False)
    allowed_cidrs = ArrayField(models.CharField(max_length=43), default=list, blank=True)
    rate_limit_per_minute = models.PositiveIntegerField(null=True, blank=True)
    # Set by staff: counts as it stands. One that the organisation set counts only below its plan's.
    rate_limit_is_granted = models.BooleanField(default=False, db_default=False, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_ip = models.GenericIPAddressField(null=True, blank=True, editable=False)
    # The day (UTC, as TIME_ZONE is) of the last use, or else of the issue. An index on `last_used_at` itself would make
    # PostgreSQL write every index of the row at each note of a use; this value changes once a day.
    quiet_since = models.GeneratedField(
        expression=TruncDate(Coalesce("last_used_at", "created_at")),
        output_field=models.DateField(),
        db_persist=True,
    )

    class Meta:
        verbose_name = "API key"
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at"], name="api_key_by_organization"),
            models.Index(fields=["-created_at", "-id"], name="api_key_newest"),
            models.Index(
                fields=["-created_at", "-id"],
                name="api_key_newest_revoked",
                condition=models.Q(revoked_at__isnull=False),
            ),
            models.Index(
                fields=["expires_at"],
                name="api_key_expiring",
                condition=models.Q(expires_at__isnull=False, revoked_at__isnull=True),
            ),
            models.Index(
                fields=["-created_at", "-id"],
                name="api_key_newest_lasting",
                condition=models.Q(expires_at__isnull=True, revoked_at__isnull=True),
            ),
            models.Index(fields=["quiet_since"], name="api_key_quiet", condition=models.Q(revoked_at__isnull=True)),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~models.Q(name=""), name="api_key_has_name"),
            models.CheckConstraint(
                condition=models.Q(rate_limit_per_minute__isnull=True) | models.Q(rate_limit_per_minute__gte=1),
                name="api_key_rate_limit_at_least_one",
            ),
            models.CheckConstraint(
                condition=models.Q(rate_limit_is_granted=False) | models.Q(rate_limit_per_minute__isnull=False),
                name="api_key_only_a_limit_is_granted",
            ),
            models.CheckConstraint(
                condition=models.Q(revoked_at__isnull=False) | models.Q(revoked_reason=""),
                name="api_key_reason_needs_revocation",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key_prefix}… ({self.name})"

    def status(self, now: datetime | None = None) -> str:
        """`active`, `grace`, `expired` or `revoked`, judged as authentication judges it."""
        now = now or timezone.now()
        if self.revoked_at is not None:
            return "revoked"
        ends = [end for end in (self.expires_at, self.grace_ends_at) if end is not None]
        if any(now >= end for end in ends):
            return "expired"
        return "grace" if self.grace_ends_at is not None else "active"

    @property
    def reason_in_words(self) -> str:
        """Why the key was revoked, in words for its owner."""
        return REASONS_IN_WORDS.get(self.revoked_reason, self.revoked_reason)

    def attention(self, now: datetime | None = None) -> list[str]:
        """Why somebody should look at a live key; nothing of one that has ended."""
        now = now or timezone.now()
        if self.status(now) not in ("active", "grace"):
            return []
        unused = (self.last_used_at or self.created_at) <= now - timedelta(days=UNUSED_DAYS)
        reasons = {"never expires": self.expires_at is None, f"unused for {UNUSED_DAYS} days": unused}
        return [reason for reason, holds in reasons.items() if holds]


class KeyReplacement(models.Model):
    """That staff offered a new key in place of a revoked one. An admin of the organisation takes it, once, by a link
    that is mailed; the secret part of the link is made with the mail, and kept as its digest alone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="replacements")
    token_digest = models.BinaryField(max_length=32, null=True, unique=True)  # SHA-256; null until the mail is written
    offered_at = models.DateTimeField(default=timezone.now)
    offered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    used_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    new_key = models.OneToOneField(ApiKey, null=True, on_delete=models.PROTECT, related_name="replaces")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(used_at__isnull=True, new_key__isnull=True)
                | models.Q(used_at__isnull=False, new_key__isnull=False),
                name="key_replacement_used_for_a_key",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key_id}: {self.state()}"

    def state(self, now: datetime | None = None) -> str:
        """`open`, `used` or `expired`."""
        if self.used_at is not None:
            return "used"
        return "open" if (now or timezone.now()) < self.expires_at else "expired"


class KeyNotice(AdminNotice):
    """One piece of news about a key for the admins of its organisation: each kind once (a link to a new key once for
    each time that staff offer one)."""

    class Kind(models.TextChoices):
        REVOKED = "revoked", "revoked"
        REPLACED = "replaced", "replacement offered"
        SEVEN_DAYS = "7_days", "expires within seven days"
        ONE_DAY = "1_day", "expires within a day"
        EXPIRED = "expired", "expired"

    id = models.BigAutoField(primary_key=True)
    key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    detail = models.CharField(max_length=300, blank=True)  # where a leaked key was found
    replacement = models.OneToOneField(KeyReplacement, null=True, on_delete=models.PROTECT, related_name="notice")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key", "kind", "replacement"], name="key_notice_once", nulls_distinct=False)
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at", "id"], name="key_notice_due", condition=models.Q(sent_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.key_id}"


class UsageDay(models.Model):
    """What one key did on one day (UTC). Runs that members of the organisation created count under no key."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.ForeignKey(ApiKey, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    # Requests that passed authentication, by the status of their answer; 429 is not among 4xx.
    requests_2xx = models.BigIntegerField(default=0)
    requests_4xx = models.BigIntegerField(default=0)
    requests_429 = models.BigIntegerField(default=0)
    requests_5xx = models.BigIntegerField(default=0)
    # Runs that the key created, by the day on which they ended.
    runs_ok = models.BigIntegerField(default=0)
    runs_error = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = "usage of a day"
        verbose_name_plural = "usage"
        indexes: ClassVar = [
            models.Index(fields=["key", "-day"], name="usage_by_key"),
            models.Index(fields=["-day", "-id"], name="usage_newest"),
        ]
        constraints: ClassVar = [
            # Also the index by which an organisation's days are found.
            models.UniqueConstraint(fields=["organization", "day", "key"], name="usage_once", nulls_distinct=False),
        ]

    def __str__(self) -> str:
        return f"{self.key or 'no key'} on {self.day}"


class UsageBatch(models.Model):
    """A batch of requests that was written into the days, so that none is written twice."""

    id = models.UUIDField(primary_key=True)
    written_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return str(self.id)
