"""Who has this address and this password?"""

from __future__ import annotations

from allauth.account.auth_backends import AuthenticationBackend

from apps.accounts.models import User


class PasswordBackend(AuthenticationBackend):
    def _authenticate_by_email(self, email: str, password: str) -> User | None:
        """One query for every address, be it somebody's or nobody's; an address that is not verified yet, to which
        somebody is about to change, is nobody's."""
        user = User.objects.filter(email=email.lower()).first()
        found: User | None = self._check_password(user, password)
        return found
