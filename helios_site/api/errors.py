"""Answers where no view of ours runs: Django's own refusals, in the dialect of the path's family, else a page that says
what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers

from helios_site.api.families import error_response_for


class Words(NamedTuple):
    """What a page says of a refusal."""

    title: str
    text: str


PAGES = {
    400: Words("That could not be read", "Go back, load the page again, and repeat what you did."),
    403: Words(
        "Not allowed",
        "Your account may not do this. Ask an admin of your organisation or, as staff, whoever gives you your rights.",
    ),
    404: Words(
        "There is nothing here",
        "Check the address for a slip. What a link led to may have been deleted, or belong to another organisation "
        "than the one you work for now.",
    ),
    405: Words(
        "Nothing to see here",
        "This address only takes what a form sends. Go back to the page with the form, and send it from there again.",
    ),
    413: Words("That is too large", "Go back and send less at once. What was sent has not been kept."),
    429: Words("Too often", "That was too often in a short time. Wait five minutes, then try again."),
    500: Words(
        "Something went wrong",
        "The fault is on our side. Try again in a moment; if it stays, tell your administrator the time.",
    ),
}
STALE_FORM = Words(
    "This form cannot be sent any more",
    "Since it was opened you have signed in or out, or chosen another organisation, or your browser keeps no cookies "
    "of this site. Go back, load the page again, and send the form once more. Nothing was changed.",
)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig) and error_response_for(request.path_info) is None:
        return _page(413, request)
    return _answer(request, 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _answer(request, 403, STALE_FORM)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return _answer(request, 500)


def too_many_attempts(request: HttpRequest) -> HttpResponse:
    """For the pages of signing in. The wait is the window of all their limits; refused attempts are not counted."""
    response = _answer(request, 429)
    response.headers["Retry-After"] = str(settings.SIGN_IN_WINDOW_SECONDS)
    return response


class BareRefusalMiddleware:
    """Gives the 405 of a page, which Django leaves empty, something to read: who signs in again after a session has
    ended is led to the address of the form that they sent."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code != 405 or error_response_for(request.path_info) is not None:
            return response
        if not isinstance(response, HttpResponse) or response.content:
            return response
        page = _page(405, request)
        page.headers["Allow"] = response.headers["Allow"]
        return page


def _answer(request: HttpRequest, status: int, words: Words | None = None) -> HttpResponse:
    respond = error_response_for(request.path_info)
    if respond is not None:
        return respond(status)
    # After a fault no session and no context processor may fail again: without the request there is no menu.
    return _page(status, None if status >= 500 else request, words)


def _page(status: int, request: HttpRequest | None, words: Words | None = None) -> HttpResponse:
    page = render_to_string("error.html", (words or PAGES[status])._asdict(), request)
    response = HttpResponse(page, status=status)
    add_never_cache_headers(response)
    return response
