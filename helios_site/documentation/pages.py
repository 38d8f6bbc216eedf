"""Which documents of the checkout are pages, and how links between them read on both sides.

`docs/x.md` is the page `/docs/x`, so that a relative link is good in a checkout, on a code host, and here.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from functools import cache, partial

from django.conf import settings
from django.urls import reverse

from helios_site.documentation.markdown import Rendered, render

README, OPERATING = "README.md", "Operating it"
FOLDER = "docs"
MEDIA_TYPES = {".svg": "image/svg+xml", ".toml": "text/plain; charset=utf-8"}


@dataclass(frozen=True)
class Source:
    """A page: the file that it is made of, or the part of it under the heading `section`."""

    name: str
    title: str
    summary: str
    path: str
    section: str | None = None


PAGES = {
    source.name: source
    for source in (
        Source("quick-start", "Quick start", "From a recording to six scores, in three calls.", "docs/quick-start.md"),
        Source(
            "integration",
            "Integration guide",
            "Good recordings, the hosted activity, polling and webhooks, errors, repetitions, deletion.",
            "docs/integration.md",
        ),
        Source(
            "patients", "Patients", "Records of people beside their runs; import and export, FHIR.", "docs/patients.md"
        ),
        Source(
            "results",
            "Interpreting results",
            "What each score is, how far to trust it, and one person over time.",
            "docs/results.md",
        ),
        Source(
            "model-card",
            "Model card",
            "What the model was learnt from, every measured figure, and what it must not be used for.",
            "docs/model-card.md",
        ),
        Source("keys", "Keys and security", "Scopes, rotation, leaks, and who sees what.", "docs/keys.md"),
        Source(
            "python-client",
            "Python client",
            "A typed package for threads and asyncio, and the command that scores a file.",
            "clients/python/README.md",
        ),
        Source(
            "operating",
            "Operating Helios",
            "Commands, settings, servers, staff, backups and watching it.",
            README,
            OPERATING,
        ),
        Source("changelog", "Changelog", "What Helios can do, by version.", "CHANGELOG.md"),
        Source("licences", "Licences", "What Helios is made of, and on which terms.", "docs/licences.md"),
    )
}
_BY_PATH = {source.path: source for source in PAGES.values()}


@cache
def rendered(name: str) -> Rendered:
    """Read and rendered once a process. KeyError for a page that there is not."""
    source = PAGES[name]
    text = (settings.BASE_DIR / source.path).read_text(encoding="utf-8")
    return render(text, partial(_address, source), section=source.section)


@cache
def files() -> frozenset[str]:
    """What pages link to beside each other, relative to the folder of documents."""
    folder = settings.BASE_DIR / FOLDER
    found = (path for path in folder.rglob("*") if path.suffix in MEDIA_TYPES)
    return frozenset(path.relative_to(folder).as_posix() for path in found)


def _address(source: Source, target: str) -> str | None:
    """Where a relative target of `source` is served; None for a file of the checkout that is no page."""
    path, _, anchor = target.partition("#")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source.path), path))
    if path == README and not anchor:
        return reverse("docs")
    if path in _BY_PATH:
        address = reverse("docs-page", args=[_BY_PATH[path].name])
        return f"{address}#{anchor}" if anchor else address
    name = path.removeprefix(f"{FOLDER}/")
    return reverse("docs-file", args=[name]) if name in files() and path != name else None
