"""`/docs`: its pages answer, link to what is there, and hold nothing that the Markdown may not bring."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from helios_site.documentation.pages import PAGES, rendered
from tests.pages import INLINE
from tests.project.checkout import ROOT

ADDRESSES = ["/docs", *(f"/docs/{name}" for name in PAGES)]
LIMIT = 300_000  # bytes of a page with its images and styles


def content(path: str) -> str:
    answer = Client().get(path)
    assert answer.status_code == 200, path
    return answer.getvalue().decode()


@pytest.fixture(scope="module")
def shown() -> dict[str, str]:
    return {address: content(address) for address in ADDRESSES}


def test_there_is_a_page_for_each_subject(shown: dict[str, str]) -> None:
    assert {"quick-start", "integration", "results", "keys", "operating", "model-card", "changelog"} <= set(PAGES)
    for name, source in PAGES.items():
        assert f"<h1>{source.title}</h1>" in shown[f"/docs/{name}"]
        assert f'href="/docs/{name}">{source.title}</a>' in shown["/docs"]
    assert "<code>make browser-test</code>" in shown["/docs/operating"]
    assert "Where things are" not in shown["/docs/operating"]


def test_every_document_of_the_folder_is_a_page() -> None:
    sources = {source.path for source in PAGES.values()}
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")} <= sources


def test_every_link_and_anchor_resolves(shown: dict[str, str]) -> None:
    pages = dict(shown)
    for address, html in shown.items():
        assert len(set(ids := re.findall(r'\sid="([^"]+)"', html))) == len(ids), address
        for target in re.findall(r'(?:href|src)="([^"]+)"', html):
            if target.startswith(("https://", "data:")):
                continue
            path, _, anchor = target.partition("#")
            path = path or address
            assert path.startswith("/"), f"{address} links to {target}"
            if path not in pages and path != "/":
                pages[path] = content(path)
            assert not anchor or f'id="{anchor}"' in pages[path], f"{address} links to {target}"


def test_links_between_documents_are_links_between_pages(shown: dict[str, str]) -> None:
    assert 'href="/docs/results#statements-about-self-harm"' in shown["/docs/integration"]
    assert 'href="/docs/operating#what-is-kept-and-how-it-goes"' in shown["/docs/integration"]
    assert 'href="/docs/licences#pyav"' in shown["/docs/operating"]
    assert "<p>docker-compose.yml runs web" in shown["/docs/operating"]  # of the checkout alone: no link
    assert shown["/docs/model-card"].count('<img src="/docs/model-card/') == 4


def test_figures_and_files_are_served() -> None:
    figure = Client().get("/docs/model-card/roc.svg")
    assert (figure.status_code, figure["Content-Type"]) == (200, "image/svg+xml")
    assert figure.content == (ROOT / "docs/model-card/roc.svg").read_bytes()
    assert "hlsk_" in content("/docs/gitleaks.toml")


@pytest.mark.parametrize(
    "path", ["nothing", "model-card.md", "model-card/nothing.svg", "../README.md", "model-card/../gitleaks.toml"]
)
def test_there_is_nothing_else(db: None, path: str) -> None:
    assert Client().get(f"/docs/{path}").status_code == 404


def test_nothing_is_inline_and_pages_are_light(shown: dict[str, str]) -> None:
    for address, html in shown.items():
        assert INLINE.search(html) is None, address
        parts = set(re.findall(r'(?:href|src)="(/(?:static|docs)/[^"#]+\.\w+)"', html))
        assert len(html.encode()) + sum(len(content(part).encode()) for part in parts) < LIMIT, address


def test_a_page_is_rendered_once() -> None:
    assert rendered("keys") is rendered("keys")


def test_the_pages_can_be_closed(db: None, settings: Any) -> None:
    settings.API_DOCS_PUBLIC = False
    for path in ("/docs", "/docs/keys", "/docs/model-card/roc.svg"):
        answer = Client().get(path)
        assert (answer.status_code, answer["Location"]) == (302, f"/login?next={path}")
    member = Client()
    member.force_login(User.objects.create_user("member@example.org"))
    assert member.get("/docs/keys").status_code == 200
    assert member.post("/docs/keys").status_code == 405
