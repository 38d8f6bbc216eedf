"""Where others tell of leaked keys. Nobody signs in: to hold the whole key, or GitHub's signing key, is enough."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from rest_framework.exceptions import NotAuthenticated, NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import audit
from apps.api_keys import github_signatures, leaks, openapi
from apps.api_keys.serializers import LeakReportSerializer
from helios_site.api.after_response import after_response
from helios_site.api.client_address import bucket_of, client_address
from helios_site.api.families import strict_json
from helios_site.api.families.healos.errors import BadRequest
from helios_site.api.families.healos.view import HealosViewMixin
from helios_site.env import Rate

MAX_BATCH_BYTES = 10 * 2**20


class _OpenView(HealosViewMixin):
    """Limited by address, whoever calls."""

    authentication_classes = ()
    permission_classes = ()
    missing_credentials = "Invalid signature"
    bucket_name: str

    def rate_limit_of(self, request: Request) -> tuple[str, Rate]:
        address = bucket_of(client_address(request._request))
        return f"{self.bucket_name}:{address}", settings.RATE_LIMIT_LEAK_REPORTS


class LeakReportView(_OpenView):
    """Revokes the key that is presented in full."""

    bucket_name = "leak"
    serializer_class = LeakReportSerializer

    @openapi.leak_report
    def post(self, request: Request) -> Response:
        serializer = LeakReportSerializer(data=self.read_body(request))
        serializer.is_valid(raise_exception=True)
        raw_key = serializer.validated_data["key"]
        key = leaks.known_keys([raw_key]).get(raw_key)
        revoked = key is not None and leaks.revoke_leaked(key, reason=leaks.REPORTED)
        if key is not None and not revoked:
            # After the response, so that a dead key is answered after the same work as an unknown one.
            seen = partial(
                leaks.record_sighting, key.id, key.organization_id, reason=leaks.REPORTED, actor=audit.SYSTEM
            )
            after_response(request._request, seen)
        return Response({"data": {"revoked": revoked}})


class GithubScanView(_OpenView):
    """GitHub's secret-scanning partner programme: a signed batch of tokens that were found in public."""

    bucket_name = "github"
    schema = None  # for GitHub alone

    def rate_limit_of(self, request: Request) -> tuple[str, Rate]:
        bucket, _ = super().rate_limit_of(request)
        return bucket, settings.HELIOS_RATE_LIMIT

    def check_path(self) -> None:
        if not settings.LEAK_GITHUB_ENABLED:
            raise NotFound

    def post(self, request: Request) -> Response:
        found = [item for item in self._signed_batch(request) if isinstance(item, dict)]
        found = [item for item in found if isinstance(item.get("token"), str)]
        known = leaks.known_keys(item["token"] for item in found)
        for raw_key, key in known.items():
            place = next(item for item in found if item["token"] == raw_key)
            leaks.revoke_leaked(key, reason=leaks.BY_GITHUB, found_at=_place(place))
        labels = {item["token"]: str(item.get("type", "")) for item in found}
        return Response(
            [
                {
                    "token_hash": leaks.token_hash(token),
                    "token_type": token_type,
                    "label": "true_positive" if token in known else "false_positive",
                }
                for token, token_type in labels.items()
            ]
        )

    def _signed_batch(self, request: Request) -> list[Any]:
        """The array of the body, once its signature is verified. Raises NotAuthenticated, BadRequest."""
        http_request = request._request
        if strict_json.announced_length(http_request) > MAX_BATCH_BYTES:
            raise BadRequest(f"The body has more than {MAX_BATCH_BYTES} bytes")
        raw = http_request.read(MAX_BATCH_BYTES)
        identifier = http_request.headers.get("Github-Public-Key-Identifier", "")
        signature = http_request.headers.get("Github-Public-Key-Signature", "")
        if not github_signatures.is_genuine(raw, identifier=identifier, signature=signature):
            raise NotAuthenticated
        try:
            batch = strict_json.parse(raw)
        except strict_json.Unparsable:
            raise BadRequest("Invalid JSON body") from None
        if not isinstance(batch, list):
            raise BadRequest("The body is no array")
        return batch


def _place(item: dict[str, Any]) -> str:
    """Where GitHub saw a token, as the admins read it."""
    words = ("GitHub", item.get("source"), item.get("url"))
    return " ".join(word for word in words if isinstance(word, str) and strict_json.storable(word))
