"""What a page says, and what a look at it leaves on the record."""

from __future__ import annotations

import html
import re
from typing import Any

from apps.accounts.models import AuditEvent


def text_of(answer: Any, status: int = 200) -> str:
    """What a reader sees of it: without tags, white space as one."""
    assert answer.status_code == status, answer.content
    content = answer.content.decode()
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", content) == []
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", content.partition("</header>")[2])).split())


def recorded() -> list[tuple[str, str, str]]:
    """Action, object and kind of actor of all there is on the record, oldest first."""
    return list(AuditEvent.objects.order_by("id").values_list("action", "object_id", "actor_type"))


def forms_of(answer: Any) -> list[str]:
    """Where the forms of a page are sent, apart from the header's."""
    return re.findall(r'<form method="post" action="([^"]+)"', answer.content.decode().partition("</header>")[2])
