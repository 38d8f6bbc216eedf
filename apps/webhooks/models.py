"""Who wants to be told of what, and what was told to them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.accounts.models import AdminNotice, Organization


class WebhookEndpoint(models.Model):
    """A URL of an organisation that is told of the events it has chosen."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="webhook_endpoints")
    url = models.CharField(max_length=1000)
    events = ArrayField(models.CharField(max_length=40))
    is_enabled = models.BooleanField(default=True)
    disabled_at = models.DateTimeField(null=True)
    disabled_reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at", "-id"], name="webhook_of_organization"),
            models.Index(fields=["-created_at", "-id"], name="webhook_newest"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(events=[]), name="webhook_has_events"),
            models.CheckConstraint(
                condition=Q(is_enabled=True, disabled_at__isnull=True, disabled_reason="")
                | Q(is_enabled=False, disabled_at__isnull=False) & ~Q(disabled_reason=""),
                name="webhook_disabled_with_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.url


class WebhookSecret(models.Model):
    """What signs the calls to one endpoint. It must be read again to sign, so it is encrypted, not digested."""

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="secrets")
    encrypted = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ends_at = models.DateTimeField(null=True)  # null: the current one; a rotated one signs too until then

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["endpoint"], condition=Q(ends_at__isnull=True), name="webhook_has_one_current_secret"
            ),
        ]

    def __str__(self) -> str:
        return f"secret of {self.endpoint_id}"


class WebhookDelivery(models.Model):
    """One event for one endpoint; the id is the `webhook-id` of every try.

    It waits while `next_try_at` is set, and is a worker's while its lease lasts. Neither a lost message nor a killed
    worker loses it: whoever looks next finds it due.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=40)
    object_id = models.UUIDField()  # of what the event is about
    body = models.TextField()  # the JSON as it is sent and signed, the same in every try
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    next_try_at = models.DateTimeField(null=True)
    lease_ends_at = models.DateTimeField(null=True)
    claims = models.PositiveIntegerField(default=0)  # counts every try that began: the token that ending one asks for
    attempts = models.PositiveSmallIntegerField(default=0)  # tries that ended, since the event or the last resend
    last_try_at = models.DateTimeField(null=True)
    response_status = models.PositiveSmallIntegerField(null=True)
    response = models.CharField(max_length=500, blank=True)  # the beginning of the answer's body
    error = models.CharField(max_length=300, blank=True)  # why there was no answer
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "webhook deliveries"
        indexes: ClassVar = [
            models.Index(fields=["endpoint", "-created_at", "-id"], name="delivery_of_endpoint"),
            models.Index(
                fields=["endpoint", "next_try_at"], name="delivery_waiting", condition=Q(next_try_at__isnull=False)
            ),
            models.Index(fields=["endpoint"], name="delivery_leased", condition=Q(lease_ends_at__isnull=False)),
            models.Index(fields=["object_id"], name="delivery_by_object"),
            models.Index(fields=["created_at"], name="delivery_oldest"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(next_try_at__isnull=True) | Q(delivered_at__isnull=True), name="delivery_waits_or_arrived"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.id}"

    @property
    def status(self) -> str:
        """`DELIVERED`, `PENDING` while tries are left, or `FAILED`."""
        if self.delivered_at is not None:
            return "DELIVERED"
        return "FAILED" if self.next_try_at is None else "PENDING"


class WebhookNotice(AdminNotice):
    """That an endpoint was disabled since an event could not be delivered, for the admins of its organisation."""

    id = models.BigAutoField(primary_key=True)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="notices")
    disabled_at = models.DateTimeField(default=timezone.now, editable=False)
    event = models.CharField(max_length=40)
    tried = models.PositiveSmallIntegerField()
    answer = models.CharField(max_length=320)  # to the last try, or why there was none

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(fields=["due_at", "id"], name="webhook_notice_due", condition=Q(sent_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"disabled: {self.endpoint_id}"
