"""Every setting of Helios. Operators set environment variables; the README's table explains each.

Names in the API contracts are names here; the variable is the same name with `HELIOS_` in front where it
is not there already (`API_KEY_PEPPERS` is `HELIOS_API_KEY_PEPPERS`).
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from helios_site import logs
from helios_site.env import ORIGIN, Environment, celery_broker_url
from helios_site.healos_contract import *  # noqa: F403 - no variable of the environment is read there
from helios_site.runtime import datadir
from helios_site.signing_in import *  # noqa: F403 - nor there

BASE_DIR = Path(__file__).resolve().parent.parent
ENV = Environment(os.environ)

# -- State and secrets ------------------------------------------------------------------------------
DATA_DIR = datadir.data_dir(os.environ)
ENV.declared["HELIOS_DATA_DIR"] = ".helios/ in the checkout; /var/lib/helios as root"
_GENERATED = "generated in the data folder"
_secrets = datadir.secrets(DATA_DIR)
_servers = datadir.server_urls(DATA_DIR)

SECRET_KEY = ENV.text("HELIOS_SECRET_KEY", _secrets.secret_key, min_bytes=32, shown=_GENERATED)
SECRET_KEY_FALLBACKS = list(ENV.words("HELIOS_SECRET_KEY_FALLBACKS", min_bytes=32))
# Newest first: the first signs, all verify.
API_KEY_PEPPERS = ENV.words("HELIOS_API_KEY_PEPPERS", (_secrets.api_key_pepper,), min_bytes=32, shown=_GENERATED)
HELIOS_UPLOAD_SIGNING_KEY = ENV.text(
    "HELIOS_UPLOAD_SIGNING_KEY", _secrets.upload_signing_key, min_bytes=32, shown=_GENERATED
)
# Newest first: the first encrypts, all decrypt.
HELIOS_ENCRYPTION_KEYS = ENV.words("HELIOS_ENCRYPTION_KEYS", (_secrets.encryption_key,), min_bytes=32, shown=_GENERATED)

# -- The address that clients use --------------------------------------------------------------------
DEBUG = ENV.boolean("HELIOS_DEBUG", False)
HELIOS_PUBLIC_BASE_URL = ENV.base_url("HELIOS_PUBLIC_BASE_URL", "http://127.0.0.1:8000")
_public = urlsplit(HELIOS_PUBLIC_BASE_URL)
_tls = _public.scheme == "https"
ALLOWED_HOSTS = [str(_public.hostname), "127.0.0.1", "localhost", "[::1]", *ENV.words("HELIOS_ALLOWED_HOSTS")]
TRUSTED_PROXIES = ENV.networks("HELIOS_TRUSTED_PROXIES")

# -- Django -------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "helios_site",
    # Without the app `allauth` itself, whose templates are not ours to show. Before apps.accounts, which has another
    # admin for them.
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "apps.accounts",
    "apps.api_keys",
    "apps.webhooks",
    "apps.patients",
    "apps.model_runs",
    "apps.fhir",
    "helios_site.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
]
MIDDLEWARE = [
    "helios_site.api.middleware.RequestContextMiddleware",
    "apps.api_keys.usage.middleware.UsageMiddleware",
    "helios_site.api.middleware.ApiResponseMiddleware",
    "helios_site.api.middleware.RequireTlsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "helios_site.content_security.ContentSecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "helios_site.api.errors.BareRefusalMiddleware",
]
ROOT_URLCONF = "helios_site.urls"
WSGI_APPLICATION = "helios_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.accounts.header.organizations",
            ]
        },
    }
]
APPEND_SLASH = False  # a redirect would turn a POST into a GET
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576  # JSON bodies; recordings are streamed past this

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = LOGOUT_REDIRECT_URL = "/login"
LOGIN_REDIRECT_URL = "/start"
PASSWORD_RESET_TIMEOUT = 3600

HELIOS_SIGNUP = ENV.choice("HELIOS_SIGNUP", "invite", ("open", "invite", "closed"))
CACHES = {"default": {"BACKEND": "helios_site.cache.RedisOrMemoryCache", "KEY_PREFIX": "helios:cache"}}

# -- Mail ---------------------------------------------------------------------------------------------
_mail = ENV.mail_server("HELIOS_EMAIL_URL")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENV.text("HELIOS_EMAIL_FROM", "helios@localhost")
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
EMAIL_TIMEOUT = 10
if _mail is not None:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
    EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.starttls, _mail.tls
    if "HELIOS_EMAIL_FROM" not in os.environ:
        raise ImproperlyConfigured("HELIOS_EMAIL_URL needs HELIOS_EMAIL_FROM, the address that mails come from.")

# -- Security headers ---------------------------------------------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _tls
SESSION_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 31_536_000 if _tls else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _tls
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "helios_site.api.errors.csrf_failure"
if _tls:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    CSRF_TRUSTED_ORIGINS = [f"https://{_public.netloc}"]
# SECURE_SSL_REDIRECT answers 301, which loses the body of a POST; RequireTlsMiddleware answers 308.
SILENCED_SYSTEM_CHECKS = ["security.W008"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# -- Static files -------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Files are served from where the packages keep them: no collectstatic before the first start.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# -- PostgreSQL ---------------------------------------------------------------------------------------
DATABASES = {"default": ENV.database("DATABASE_URL", _servers.database_url)}
# One lasting connection for each thread of the web server and each process of a worker, tried before a request or a
# task uses it: a restart of PostgreSQL fails nothing that comes after it, and while it is away nobody waits for it.
# A pool either hands out the connections that broke or, trying them, makes a request wait for seconds.
DATABASES["default"]["CONN_MAX_AGE"] = None
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["OPTIONS"] = {"connect_timeout": "5", **DATABASES["default"]["OPTIONS"]}  # type: ignore[dict-item]

# -- Redis or Valkey, and Celery ----------------------------------------------------------------------
_redis_url = ENV.redis_url("REDIS_URL")
REDIS_URL = _redis_url or _servers.redis_url
CELERY_BROKER_URL = celery_broker_url(_redis_url) if _redis_url else _servers.broker_url
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True  # with an early ack a killed worker loses the run
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# The transcriber leaves a few megabytes a long recording behind; a fresh fork shares the weights again.
CELERY_WORKER_MAX_TASKS_PER_CHILD = 100
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Tasks after which Celery closes the worker's connection; unset, it does so around each task, and a new connection to
# PostgreSQL costs as much as all else between the bell and the claim.
CELERY_DB_REUSE_MAX = 1000
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_DEFAULT_QUEUE = "runs"
CELERY_TASK_ROUTES = {"helios.housekeeping.*": {"queue": "housekeeping"}, "helios.webhooks.*": {"queue": "webhooks"}}

# The chain hard limit < lease < visibility makes a second delivery find either a finished run or a dead worker.
HELIOS_RUN_TIME_LIMIT_SECONDS = ENV.integer("HELIOS_RUN_TIME_LIMIT_SECONDS", 100, 5, 3600)
HELIOS_RUN_LEASE_SECONDS = ENV.integer("HELIOS_RUN_LEASE_SECONDS", 120, 6, 3900)
HELIOS_BROKER_VISIBILITY_SECONDS = ENV.integer("HELIOS_BROKER_VISIBILITY_SECONDS", 180, 7, 4200)
if not HELIOS_RUN_TIME_LIMIT_SECONDS < HELIOS_RUN_LEASE_SECONDS < HELIOS_BROKER_VISIBILITY_SECONDS:
    raise ImproperlyConfigured(
        "HELIOS_RUN_TIME_LIMIT_SECONDS < HELIOS_RUN_LEASE_SECONDS < HELIOS_BROKER_VISIBILITY_SECONDS must hold."
    )
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": HELIOS_BROKER_VISIBILITY_SECONDS,
    # With the defaults a killed worker's task comes back after 100 s instead of 11 s.
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    # A request never waits for a broker that is away: the sweeper rings again. Workers reconnect by themselves.
    "max_retries": 0,
}

# -- API families -------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["apps.api_keys.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["apps.api_keys.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_METADATA_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,
    "COERCE_DECIMAL_TO_STRING": False,
    "UNAUTHENTICATED_USER": None,
}
API_DOCS_PUBLIC = ENV.boolean("HELIOS_API_DOCS_PUBLIC", True)
SPECTACULAR_SETTINGS = {
    "TITLE": "Helios API",
    "VERSION": "1",
    "DESCRIPTION": "Voice wellness checks: create a model run, upload a recording, read a transcript and six scores.",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "PREPROCESSING_HOOKS": ["helios_site.api.docs.without_slash_twins"],
    "POSTPROCESSING_HOOKS": [
        "apps.model_runs.openapi.describe_runs",
        "apps.model_runs.activity.openapi.describe_activity",
        "apps.model_runs.users.openapi.describe_users",
        "apps.model_runs.patient_runs.openapi.describe_patient_runs",
        "apps.webhooks.openapi.describe_webhooks",
        "apps.patients.openapi.describe_patients",
        "apps.model_runs.patient_runs.person_openapi.describe_person",
        "apps.patients.notes.openapi.describe_notes",
        "apps.patients.appointments.openapi.describe_appointments",
        "apps.patients.documents.openapi.describe_documents",
        "apps.patients.transfer.openapi.describe_transfer",
        "apps.api_keys.openapi.describe_keys",
        "apps.fhir.openapi.describe_fhir",
        "apps.api_keys.usage.openapi.describe_usage",
        "apps.api_keys.audit_events.openapi.describe_audit",
        "helios_site.api.families.helios.openapi.describe_family",
        "helios_site.api.families.healos.openapi.describe_family",
        "helios_site.api.families.fhir.openapi.describe_family",
        "helios_site.api.groups.describe_groups",
        "helios_site.api.samples.describe_samples",
    ],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SORT_OPERATIONS": False,
}

# -- API keys and rate limits -------------------------------------------------------------------------
API_KEY_RANDOM_CHARS = 32
API_KEY_DISPLAY_CHARS = 12
API_KEY_LAST_USED_SECONDS = 60
API_KEY_MAX_PER_ORG = ENV.integer("HELIOS_API_KEY_MAX_PER_ORG", 100, 1, 1_000_000)
HEALOS_RATE_LIMIT = ENV.rate("HELIOS_HEALOS_RATE_LIMIT", "100/60")
HELIOS_RATE_LIMIT = ENV.rate("HELIOS_RATE_LIMIT", "600/60")
HELIOS_POLL_LIMIT = ENV.rate("HELIOS_POLL_LIMIT", "120/60")
RATE_LIMIT_FAILED_AUTH = ENV.rate("HELIOS_RATE_LIMIT_FAILED_AUTH", "100/60")
RATE_LIMIT_LEAK_REPORTS = ENV.rate("HELIOS_RATE_LIMIT_LEAK_REPORTS", "20/60")
RATE_LIMIT_FAIL_OPEN = ENV.boolean("HELIOS_RATE_LIMIT_FAIL_OPEN", True)
RATE_LIMIT_BUDGET_SECONDS = 0.05  # how long a limiter call may wait for Redis

# -- The Helios contract (decisions where the public contract is silent) --------------------------------
HELIOS_LANGUAGES = ENV.words("HELIOS_LANGUAGES", ("en-GB", "en-US"), pattern=r"[a-z]{2,3}-[A-Z]{2}")
HELIOS_EXTENSIONS_IN_RUN = ENV.boolean("HELIOS_EXTENSIONS_IN_RUN", True)
HELIOS_LEGACY_GET = ENV.boolean("HELIOS_LEGACY_GET", True)
HELIOS_RECORDING_TIME_KEYS = ("recordingTime", "recordedAt", "recordingDateTime")  # first present wins
HELIOS_DATA_TO_DELETE_KEYS = ("dataToDelete", "data_to_delete")
HELIOS_ACTIVITY_LINK_KEY = "activityLink"
HELIOS_TAG_KEYS = ("name", "value")
HELIOS_TAG_MAX_CHARS = 255
HELIOS_TAG_MAX_COUNT = 20
HELIOS_ACCENTS = None  # any string
HELIOS_MISSING_SCOPE_STATUS = 403
HELIOS_ERROR_TEXTS = {
    401: "Invalid API key",
    403: "Insufficient scope",
    404: "Not Found",
    405: "Method Not Allowed",
    429: "Rate limit exceeded",
    500: "Internal Server Error",
    507: "Insufficient Storage. Please try again later",
    "run_not_found": "Model run not found",
    "user_not_found": "User not found",
}
HELIOS_BUCKET_CUTS = ENV.cuts("HELIOS_BUCKET_CUTS", (0.25, 0.5, 0.75))
HELIOS_SCORE_DECIMALS = ENV.integer("HELIOS_SCORE_DECIMALS", 4, 2, 8)
HELIOS_BASELINE_MIN_RUNS = ENV.integer("HELIOS_BASELINE_MIN_RUNS", 5, 5, 365)
HELIOS_BASELINE_WINDOW_DAYS = ENV.integer("HELIOS_BASELINE_WINDOW_DAYS", 90, 5, 3650)
if HELIOS_BASELINE_MIN_RUNS > HELIOS_BASELINE_WINDOW_DAYS:
    raise ImproperlyConfigured("HELIOS_BASELINE_MIN_RUNS must not be above HELIOS_BASELINE_WINDOW_DAYS.")

# -- The Healos contract ------------------------------------------------------------------------------
HEALOS_EXTRA_FIELDS = ENV.boolean("HELIOS_HEALOS_EXTRA_FIELDS", False)
HEALOS_DAY_TIMEZONE = ENV.time_zone("HELIOS_HEALOS_DAY_TIMEZONE", "UTC")
HEALOS_DOCUMENT_URL_TTL_SECONDS = ENV.integer("HELIOS_HEALOS_DOCUMENT_URL_TTL_SECONDS", 3600, 60, 86_400)
HEALOS_NOTES_FROM_RUNS = ENV.boolean("HELIOS_HEALOS_NOTES_FROM_RUNS", False)
SOFT_DELETE_DAYS = ENV.integer("HELIOS_SOFT_DELETE_DAYS", 30, 1, 3650)

# -- Leaked keys --------------------------------------------------------------------------------------
LEAK_GITHUB_ENABLED = ENV.boolean("HELIOS_LEAK_GITHUB_ENABLED", False)
LEAK_GITHUB_KEYS_URL = ENV.base_url(
    "HELIOS_LEAK_GITHUB_KEYS_URL", "https://api.github.com/meta/public_keys/secret_scanning"
)
LEAK_GITHUB_KEYS_FILE = ENV.text("HELIOS_LEAK_GITHUB_KEYS_FILE")

# -- Recordings ---------------------------------------------------------------------------------------
HELIOS_UPLOAD_URL_TTL_SECONDS = ENV.integer("HELIOS_UPLOAD_URL_TTL_SECONDS", 3600, 60, 86_400)
HELIOS_UPLOAD_MAX_BYTES = ENV.integer("HELIOS_UPLOAD_MAX_BYTES", 134_217_728, 1024, 1_073_741_824)
HELIOS_UPLOAD_CORS_ORIGINS = ENV.words("HELIOS_UPLOAD_CORS_ORIGINS", pattern=r"https?://[^/,\s]+")
HELIOS_ACTIVITY_URL_TTL_SECONDS = ENV.integer("HELIOS_ACTIVITY_URL_TTL_SECONDS", 3600, 60, 86_400)
HELIOS_ACTIVITY_FRAME_ANCESTORS = ENV.words("HELIOS_ACTIVITY_FRAME_ANCESTORS", pattern=ORIGIN)
HELIOS_MAX_RECORDING_SECONDS = ENV.number("HELIOS_MAX_RECORDING_SECONDS", 180, 1, 600)
HELIOS_MIN_SPEECH_SECONDS = ENV.number("HELIOS_MIN_SPEECH_SECONDS", 10, 0, 180)
HELIOS_SPEECH_PAUSE_SECONDS = ENV.number("HELIOS_SPEECH_PAUSE_SECONDS", 0.3, 0, 2)
HELIOS_DECODER = ENV.choice("HELIOS_DECODER", "pyav", ("pyav", "ffmpeg"))
HELIOS_STORAGE = ENV.choice("HELIOS_STORAGE", "local", ("local", "s3"))
HELIOS_RECORDINGS_DIR = Path(
    ENV.text("HELIOS_RECORDINGS_DIR", str(DATA_DIR / "recordings"), shown="recordings/ in the data folder")
)
HELIOS_S3_BUCKET = ENV.text("HELIOS_S3_BUCKET")
HELIOS_S3_ENDPOINT_URL = ENV.text("HELIOS_S3_ENDPOINT_URL")
HELIOS_S3_REGION = ENV.text("HELIOS_S3_REGION", "us-east-1")
HELIOS_S3_ACCESS_KEY_ID = ENV.text("HELIOS_S3_ACCESS_KEY_ID")
HELIOS_S3_SECRET_ACCESS_KEY = ENV.text("HELIOS_S3_SECRET_ACCESS_KEY")
if HELIOS_STORAGE == "s3" and not HELIOS_S3_BUCKET:
    raise ImproperlyConfigured("HELIOS_STORAGE=s3 needs HELIOS_S3_BUCKET.")

# -- The life of a run ----------------------------------------------------------------------------------
HELIOS_RUN_MAX_ATTEMPTS = ENV.integer("HELIOS_RUN_MAX_ATTEMPTS", 3, 1, 20)
HELIOS_RUN_DEADLINE_SECONDS = ENV.integer("HELIOS_RUN_DEADLINE_SECONDS", 300, 10, 86_400)
HELIOS_SWEEP_SECONDS = ENV.integer("HELIOS_SWEEP_SECONDS", 10, 1, 60)
HELIOS_ERASE_JOB_SECONDS = ENV.integer("HELIOS_ERASE_JOB_SECONDS", 900, 10, 3600)
HELIOS_ABANDONED_RUN_DAYS = ENV.integer("HELIOS_ABANDONED_RUN_DAYS", 30, 1, 3650)
HELIOS_RECORDING_RETENTION_DAYS = ENV.integer("HELIOS_RECORDING_RETENTION_DAYS", 0, 0, 3650)  # 0 keeps
HELIOS_DELETE_DATA_AFTER_HOURS = 12
# Scores every organisation's runs, whatever is activated for it.
HELIOS_MODEL_VERSION = ENV.text("HELIOS_MODEL_VERSION")
HELIOS_TRAINING_DATA = Path(ENV.text("HELIOS_TRAINING_DATA", "../shared/data"))

# -- Webhooks -------------------------------------------------------------------------------------------
HELIOS_WEBHOOK_ALLOW_CIDRS = ENV.networks("HELIOS_WEBHOOK_ALLOW_CIDRS")
HELIOS_WEBHOOK_CA_FILE = ENV.text("HELIOS_WEBHOOK_CA_FILE")
if HELIOS_WEBHOOK_CA_FILE and not Path(HELIOS_WEBHOOK_CA_FILE).is_file():
    raise ImproperlyConfigured("HELIOS_WEBHOOK_CA_FILE cannot be used: it names no file.")
HELIOS_WEBHOOK_RETENTION_DAYS = ENV.integer("HELIOS_WEBHOOK_RETENTION_DAYS", 30, 7, 3650)
WEBHOOK_MAX_PER_ORG = 20
WEBHOOK_TIMEOUT_SECONDS = 10  # one try, from looking the name up to the last byte of the answer
WEBHOOK_LEASE_SECONDS = 60  # a try that has not ended by then was its worker's end, and is made again
WEBHOOK_SWEEP_SECONDS = 5  # the shortest pause of the schedule
WEBHOOK_SECRET_OVERLAP_HOURS = 24  # after a rotation both secrets sign
WEBHOOK_MAX_SECRETS = 5

# -- Operating ------------------------------------------------------------------------------------------
HELIOS_METRICS_TOKEN = ENV.text("HELIOS_METRICS_TOKEN", min_bytes=16)
LOGGING_CONFIG = None
logs.configure(
    level=ENV.choice("HELIOS_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
    form=ENV.choice("HELIOS_LOG_FORMAT", "json", ("json", "text")),
)
