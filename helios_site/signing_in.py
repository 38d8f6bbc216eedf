"""The settings of django-allauth: how people sign up and in. A part of `settings`, which holds all else."""

from __future__ import annotations

AUTHENTICATION_BACKENDS = ["apps.accounts.backends.PasswordBackend"]
ACCOUNT_ADAPTER = "apps.accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {"signup": "apps.accounts.forms.SignUpForm", "add_email": "apps.accounts.forms.NewEmailForm"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True  # in the browser that signed up, and in no other
ACCOUNT_CHANGE_EMAIL = True  # one address a person; another takes its place once it is verified
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_METHODS = ("password", "mfa")
# One window for all, so that `Retry-After` is true of each. Reads are not counted; "key" is the address typed, or for
# codes the person; "user" is who is signed in.
SIGN_IN_WINDOW_SECONDS = 300
ACCOUNT_RATE_LIMITS = {
    action: ",".join(f"{calls}/{SIGN_IN_WINDOW_SECONDS}s/{per}" for per, calls in limits.items())
    for action, limits in {
        "login": {"ip": 60},
        "login_failed": {"ip": 20, "key": 5},  # wrong codes, too
        "signup": {"ip": 10},
        "confirm_email": {"key": 2},
        "reset_password": {"ip": 10, "key": 3},
        "reset_password_from_key": {"ip": 20},
        "reauthenticate": {"user": 10},
        "change_password": {"user": 5},
        "manage_email": {"user": 10},
    }.items()
}
MFA_ADAPTER = "apps.accounts.adapters.TotpAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Helios"
MFA_TOTP_TOLERANCE = 1  # a clock may be wrong by 30 seconds
USERSESSIONS_ADAPTER = "apps.accounts.adapters.SessionsAdapter"
