"""Pages of signing up and in, of an account, and of an organisation. The names of the first two are those by which
django-allauth finds them."""

from __future__ import annotations

from allauth.account import views as signing_in
from allauth.mfa.base import views as codes
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from django.db.transaction import atomic
from django.urls import path

from apps.accounts import closing_pages, views
from apps.accounts import organization_pages as people
from apps.accounts import organization_settings_pages as decisions
from apps.accounts.invitation_page import invitation

# A view in `atomic` writes its audit row by a signal, and so in the transaction of what it records.
urlpatterns = [
    path("signup", views.SignUpView.as_view(), name="account_signup"),
    path("verify-email", views.VERIFICATION_SENT, name="account_email_verification_sent"),
    path("verify-email/<str:key>", views.VerifyEmailView.as_view(), name="account_confirm_email"),
    path("login", signing_in.login, name="account_login"),
    path("login/code", views.CodeView.as_view(), name="mfa_authenticate"),
    path("login/inactive", signing_in.account_inactive, name="account_inactive"),
    path("logout", signing_in.logout, name="account_logout"),
    path("reset-password", signing_in.password_reset, name="account_reset_password"),
    path("reset-password/sent", views.PASSWORD_RESET_SENT, name="account_reset_password_done"),
    path("reset-password/done", signing_in.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path(
        "reset-password/<str:uidb36>/<str:key>",
        atomic(signing_in.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path("account", views.account, name="account"),
    path("account/email", signing_in.email, name="account_email"),
    path("account/password", atomic(signing_in.password_change), name="account_change_password"),
    path("account/password/new", atomic(signing_in.password_set), name="account_set_password"),
    path("account/sessions", views.SessionsView.as_view(), name="usersessions_list"),
    path("account/confirm", signing_in.reauthenticate, name="account_reauthenticate"),
    path("account/confirm/code", codes.reauthenticate, name="mfa_reauthenticate"),
    path("account/two-step", codes.index, name="mfa_index"),
    path("account/two-step/on", totp.activate_totp, name="mfa_activate_totp"),
    path("account/two-step/off", atomic(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("account/recovery-codes", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("account/recovery-codes/new", recovery_codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("account/recovery-codes/download", recovery_codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("invitations/<str:token>", invitation, name="invitation"),
    path("organization", people.organization, name="organization"),
    path("organization/switch", people.switch, name="organization-switch"),
    path("organization/invite", people.invite, name="organization-invite"),
    path("organization/settings", decisions.organization_settings, name="organization-settings"),
    path("organization/rename", decisions.rename, name="organization-rename"),
    path("organization/defaults", decisions.change_defaults, name="organization-defaults"),
    path("organization/activity-origins", decisions.change_origins, name="organization-origins"),
    path("organization/consent-text", decisions.change_consent_text, name="organization-consent"),
    path("organization/consent-texts/<int:number>", decisions.consent_text, name="organization-consent-text"),
    path("organization/leave", people.leave, name="organization-leave"),
    path("organization/close", closing_pages.close_page, name="organization-close"),
    path("organization/reopen", closing_pages.reopen, name="organization-reopen"),
    path("organization/members/<int:membership_id>/role", people.change_role, name="organization-role"),
    path("organization/members/<int:membership_id>/remove", people.remove, name="organization-remove"),
    path(
        "organization/invitations/<uuid:invitation_id>/withdraw",
        people.withdraw,
        name="organization-withdraw",
    ),
]
