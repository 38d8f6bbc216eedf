"""`/docs`, its pages, and the figures and files that they show. Open to whom the description of the API is."""

from __future__ import annotations

from pathlib import PurePosixPath

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from helios_site.api.docs import for_readers
from helios_site.documentation.pages import FOLDER, MEDIA_TYPES, PAGES, files, rendered


@for_readers
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "documentation/index.html", {"pages": PAGES.values()})


@for_readers
def document(request: HttpRequest, page: str) -> HttpResponse:
    if page not in PAGES:
        raise Http404
    order = list(PAGES)
    place = order.index(page)
    context = {
        "source": PAGES[page],
        "document": rendered(page),
        "pages": PAGES.values(),
        "previous": PAGES[order[place - 1]] if place else None,
        "following": PAGES[order[place + 1]] if place + 1 < len(order) else None,
    }
    return render(request, "documentation/page.html", context)


@for_readers
def attachment(request: HttpRequest, file: str) -> HttpResponse:
    if file not in files():
        raise Http404
    content = (settings.BASE_DIR / FOLDER / file).read_bytes()
    return HttpResponse(content, content_type=MEDIA_TYPES[PurePosixPath(file).suffix])
