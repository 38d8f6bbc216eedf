"""Answers where no view of ours runs: Django's 400, 404 and 500, in the dialect of the path's family, else a page."""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from helios_site.api.families import error_response_for

WHAT_TO_DO = {
    400: "The request could not be read. Go back and try again.",
    404: "There is nothing at this address. Check it, or start again from one of these pages.",
    429: "That was too often in a short time. Wait five minutes, then try again.",
    500: "Something went wrong on our side. Try again in a moment; if it stays, tell your administrator the time.",
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 400)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return _answer(request, 500)


def too_many_attempts(request: HttpRequest) -> HttpResponse:
    """For the pages of signing in. The wait is the window of all their limits; refused attempts are not counted."""
    response = _answer(request, 429)
    response.headers["Retry-After"] = str(settings.SIGN_IN_WINDOW_SECONDS)
    return response


def _answer(request: HttpRequest, status: int) -> HttpResponse:
    respond = error_response_for(request.path_info)
    if respond is not None:
        return respond(status)
    # Rendered without the request: after a fault no context processor may fail again.
    page = render_to_string("error.html", {"title": HTTPStatus(status).phrase, "text": WHAT_TO_DO[status]})
    return HttpResponse(page, status=status)
