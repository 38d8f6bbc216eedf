"""Requests as the server hands them over."""

from __future__ import annotations

import pytest
from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest
from django.test import RequestFactory

from helios_site.wsgi import application


def made(charset: str, query: str) -> HttpRequest:
    content_type = f"text/plain; charset={charset}"
    environ = RequestFactory().get("/").environ | {"QUERY_STRING": query, "CONTENT_TYPE": content_type}
    request: HttpRequest = application.request_class(environ)
    return request


@pytest.mark.parametrize("charset", ["rot13", "base64", "idna", "undefined", "unknown", "utf-16"])
def test_the_charset_of_a_body_says_nothing_of_the_query(charset: str) -> None:
    request = made(charset, "search=a%C3%A4")
    assert (request.content_type, request.GET.dict()) == ("text/plain", {"search": "a\u00e4"})


def test_too_many_parameters_are_found_out_where_they_can_be_answered() -> None:
    request = made("utf-8", "a&" * 2000)
    with pytest.raises(TooManyFieldsSent):
        request.GET  # noqa: B018 - reads it
