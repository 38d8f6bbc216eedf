from __future__ import annotations

import pytest
from django.test import Client

from tests.conftest import CHECKOUT
from tests.pages import INLINE

WRITTEN_BY_OTHERS = ("admin", "rest_framework", "emails")


@pytest.mark.parametrize("path", ["/login", "/there-is-no-such-page", "/admin/login/", "/browse/v1/account"])
def test_our_pages_take_nothing_inline_and_those_of_others_styles_alone(client: Client, db: None, path: str) -> None:
    policy = dict(part.strip().split(" ", 1) for part in client.get(path)["Content-Security-Policy"].split(";"))
    assert policy["script-src"] == policy["default-src"] == "'self'"
    is_ours = not path.startswith(("/admin", "/browse"))
    assert policy["style-src"] == ("'self'" if is_ours else "'self' 'unsafe-inline'")


def test_no_template_of_ours_has_anything_inline() -> None:
    templates = CHECKOUT / "templates"
    found = [
        f"{path.relative_to(templates)}: {fault[0]}"
        for path in sorted(templates.rglob("*.html"))
        if not str(path.relative_to(templates)).startswith(WRITTEN_BY_OTHERS)
        and (fault := INLINE.search(path.read_text()))
    ]
    assert found == []
