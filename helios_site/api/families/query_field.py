"""What the query parameters of all families share; each family adds its errors."""

from __future__ import annotations

from typing import Any

from django import forms


class QueryField(forms.Field):
    """One parameter. `parse` gets the text that was sent, which may be empty; None means that it was not sent."""

    def parse(self, raw: str) -> Any:
        raise NotImplementedError

    def clean(self, value: Any) -> Any:
        return None if value is None else self.parse(value)
