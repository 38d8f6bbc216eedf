"""Celery tasks: each calls a service."""

from __future__ import annotations

from celery import shared_task

from apps.accounts import closing_notices, invitations


@shared_task(name=invitations.SEND)
def send_invitations() -> None:
    invitations.send_due_invitations()


@shared_task(name=closing_notices.SEND)
def send_organization_notices() -> None:
    closing_notices.send_due_notices()
