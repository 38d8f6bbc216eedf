"""Organisations, the people who belong to them, and the append-only audit trail."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from apps.accounts.origins import MAX_ORIGIN_CHARS


class Organization(models.Model):
    """The tenant: keys, runs and everything else belong to exactly one."""

    class Plan(models.TextChoices):
        FREE = "free"
        DEVELOPER = "developer"
        TEAM = "team"
        ENTERPRISE = "enterprise"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200, unique=True)
    is_active = models.BooleanField(
        default=True, help_text="Switching this off refuses all of its API keys from the next request on."
    )
    helios_lenient_user = models.BooleanField(
        default=False,
        verbose_name="lenient user values",
        help_text="Runs may leave out birth date or sex; unknown sex values become UNKNOWN, with a warning on the run.",
    )
    notes_from_runs = models.BooleanField(
        null=True,
        blank=True,
        choices=[(True, "yes"), (False, "no")],
        verbose_name="notes from runs",
        help_text="Whether a finished run of a patient becomes a session with a note in the patient's record. "
        "Nothing chosen: as the installation is set (HELIOS_HEALOS_NOTES_FROM_RUNS).",
    )
    plan = models.CharField(
        max_length=10,
        choices=Plan.choices,
        default=Plan.FREE,
        db_default=Plan.FREE,  # for processes of the release before, while an installation is upgraded
        help_text="Multiplies the limits of calls: developer by 10, team by 100; enterprise has next to none.",
    )
    activity_origins = ArrayField(
        models.CharField(max_length=MAX_ORIGIN_CHARS),
        default=list,
        db_default=[],
        blank=True,
        verbose_name="origins of the hosted activity",
        help_text="Web origins whose pages may show the recorder in a frame and to which it may return, such as "
        "https://clinic.example.org, separated by commas. None: as the installation is set "
        "(HELIOS_ACTIVITY_FRAME_ANCESTORS).",
    )
    # What the form of a new check begins with; "" is the first of HELIOS_LANGUAGES.
    check_language = models.CharField(max_length=10, blank=True, default="", db_default="", editable=False)
    check_delete_data = models.BooleanField(default=False, db_default=False, editable=False)
    # IANA name: whose days the pages of appointments show; "" is HEALOS_DAY_TIMEZONE. See selectors.zone_of.
    time_zone = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # Set while it is closing, when nobody may use it and it can still be reopened: when its data is erased.
    closing_at = models.DateTimeField(null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)  # its data was erased
    # In the storage: what its admins get. The database's own default is for the release before, which does not name it.
    archive_key = models.CharField(max_length=200, blank=True, default="", db_default="", editable=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(plan__in=["free", "developer", "team", "enterprise"]),
                name="organization_plan_known",
            ),
            models.CheckConstraint(
                condition=models.Q(closing_at__isnull=True) | models.Q(is_active=False),
                name="organization_closing_is_off",
            ),
            models.CheckConstraint(
                condition=models.Q(closed_at__isnull=True) | models.Q(closing_at__isnull=False, archive_key=""),
                name="organization_closed_by_closing",
            ),
            models.CheckConstraint(
                condition=models.Q(archive_key="") | models.Q(closing_at__isnull=False),
                name="organization_archive_while_closing",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["closing_at"],
                name="organization_closing",
                condition=models.Q(closing_at__isnull=False, closed_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ConsentText(models.Model):
    """What a person agrees to before the hosted activity records. Rows are added and never changed, so that the number
    that a run keeps says for good what was agreed to; the highest is the one that is shown."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="consent_texts")
    number = models.PositiveIntegerField()  # 1, 2, 3 … within the organisation
    text = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "number"], name="consent_text_numbered_once"),
        ]

    def __str__(self) -> str:
        return f"version {self.number} of {self.organization}"


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in with an e-mail address."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False, help_text="May use this admin.")
    date_joined = models.DateTimeField(default=timezone.now, editable=False)
    # The name of the organisation that is opened once the e-mail address is verified; empty afterwards.
    wanted_organization = models.CharField(max_length=200, blank=True, editable=False)
    organizations: models.ManyToManyField[Organization, Membership] = models.ManyToManyField(
        Organization, through="Membership", related_name="users"
    )

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints: ClassVar = [
            # Log-in looks the lower-case form up: a row in another case could never sign in.
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower_case"),
        ]

    def __str__(self) -> str:
        return self.email


class Membership(models.Model):
    """That a user belongs to an organisation, and as what."""

    class Role(models.TextChoices):
        ADMIN = "admin", "Admin"
        MEMBER = "member", "Member"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    chosen_at = models.DateTimeField(null=True, editable=False)  # a session begins with the one that was chosen last

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "user"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=["admin", "member"]), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.organization}"


class Invitation(models.Model):
    """That the holder of a mailed link may join an organisation. The token of the link is nowhere but in the mail: it
    is made when the mail is sent, and its digest is kept. A plain one is enough, as a token is 256 random bits."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Membership.Role.choices)
    token_digest = models.BinaryField(max_length=32, unique=True, null=True)
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    mail_due_at = models.DateTimeField(default=timezone.now)
    mail_tries = models.PositiveSmallIntegerField(default=0)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "email"],
                name="invitation_open_once",
                condition=models.Q(accepted_at__isnull=True, withdrawn_at__isnull=True),
            ),
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="invitation_email_lower_case"),
            models.CheckConstraint(condition=models.Q(role__in=["admin", "member"]), name="invitation_role_known"),
            models.CheckConstraint(
                condition=models.Q(accepted_at__isnull=True) | models.Q(withdrawn_at__isnull=True),
                name="invitation_ends_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["mail_due_at", "id"],
                name="invitation_mail_due",
                condition=models.Q(mailed_at__isnull=True, accepted_at__isnull=True, withdrawn_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.organization}"


class AdminNotice(models.Model):
    """Base of the rows of `apps.accounts.admin_mails`: one piece of news each, mailed until it is sent."""

    due_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class OrganizationNotice(AdminNotice):
    """One piece of news about an organisation for its admins."""

    class Kind(models.TextChoices):
        CLOSING = "closing", "is closing"
        ARCHIVE = "archive", "archive is ready"
        REOPENED = "reopened", "was reopened"

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    detail = models.CharField(max_length=300, blank=True)  # who did it, for those who are mailed

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["due_at", "id"],
                name="organization_notice_due",
                condition=models.Q(sent_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization_id} {self.get_kind_display()}"


class AuditEvent(models.Model):
    """One thing that somebody did. A database trigger refuses UPDATE, DELETE and TRUNCATE on this table.

    The organisation and the object are plain values, not foreign keys: the row outlives both.
    """

    class Actor(models.TextChoices):
        KEY = "key", "API key"
        USER = "user", "User"
        STAFF = "staff", "Staff"
        SYSTEM = "system", "System"

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(default=timezone.now, editable=False)
    organization_id = models.UUIDField(null=True)
    actor_type = models.CharField(max_length=6, choices=Actor.choices)
    actor_id = models.CharField(max_length=64, blank=True)  # id of the key or user, never the secret
    action = models.CharField(max_length=64)  # "api_key.revoked", "model_run.read", …
    object_type = models.CharField(max_length=64, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    outcome = models.CharField(max_length=16, default="ok")
    reason = models.CharField(max_length=500, blank=True)
    address = models.GenericIPAddressField(null=True)
    method = models.CharField(max_length=10, blank=True)
    path = models.CharField(max_length=300, blank=True)  # without the query, which may carry personal data
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organization_id", "-id"], name="audit_by_organization"),
            models.Index(fields=["object_type", "object_id", "-id"], name="audit_by_object"),
            models.Index(fields=["actor_id", "-id"], name="audit_by_actor"),
            models.Index(fields=["action", "-id"], name="audit_by_action"),
            BrinIndex(fields=["at"], name="audit_by_time", autosummarize=True),  # rows lie in the order of time
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_id}"


class UnsealedEvent(models.Model):
    """An event that waits for its seal. The trigger that fires on INSERT into the trail writes it, in the transaction
    of the event: however late that commits, the sealer finds the event then, without searching the whole trail."""

    event_id = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return str(self.event_id)


class AuditSeal(models.Model):
    """A link of a hash chain: one event in the order of sealing. Append-only by trigger, as the events are.

    Every organisation has a chain, and so has the installation (`organization_id` null). `apps.accounts.chain` says
    what is hashed.
    """

    event_id = models.BigIntegerField(primary_key=True)
    organization_id = models.UUIDField(null=True)
    sequence = models.BigIntegerField()  # 1, 2, 3, … in each chain
    previous_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints: ClassVar = [
            # Whatever goes wrong, a chain never forks. Also the index by which a chain's head is found.
            models.UniqueConstraint(
                fields=["organization_id", "sequence"], name="audit_seal_in_chain", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization_id or 'installation'} {self.sequence}"
