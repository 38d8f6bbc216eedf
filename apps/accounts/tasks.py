"""Celery tasks: each calls a service."""

from __future__ import annotations

from celery import shared_task

from apps.accounts import invitations


@shared_task(name=invitations.SEND)
def send_invitations() -> None:
    invitations.send_due_invitations()
