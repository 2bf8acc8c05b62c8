"""Settings of the project; all that differs between two installations comes from the environment (``.env.example``)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import django_stubs_ext
from django.utils.csp import CSP

from portal.environment import Environment, require_extra, wrong
from portal.logs import describe_logging
from portal.mail_oauth import read_mail_oauth
from portal.mailers import read_mailers
from portal.oidc import read_issuer
from portal.proxies import read_trusted_proxies
from portal.queue_address import read_queue
from portal.settings_file import open_settings_file
from portal.storage_address import read_storage_url

# admin.ModelAdmin[Model] and QuerySet[Model] are written in class heads, which Django's own classes refuse at run time.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = Environment()
DAY, MOST_DAYS = 86_400, 36_500
Environment.read_env(open_settings_file(BASE_DIR / ".env"))

DEBUG = env.bool("DEBUG", default=False)

# ─── Security ────────────────────────────────────────────────────────────────────────────────────────────────────────
# One machine that somebody tries out needs no set-up: a key is drawn once and kept under var/. In production SECRET_KEY
# is given, since several machines must share it.
SECRET_KEY = env.key("SECRET_KEY")
if not SECRET_KEY:
    from portal.local_secret import read_or_draw_secret

    SECRET_KEY = read_or_draw_secret(VAR_DIR / "secret_key")
# Older keys: what they encrypted or signed can still be read while the key is changed.
SECRET_KEY_FALLBACKS = env.older_keys("SECRET_KEY_FALLBACKS")

_portal = env.origin("PORTAL_URL", default="http://127.0.0.1:8000")
PORTAL_URL = _portal.geturl()
IS_HTTPS = _portal.scheme == "https"
# An IPv6 address is written in brackets there (Django, ALLOWED_HOSTS), and in mail addresses (RFC 5321, 4.1.3).
_host = f"[{_portal.hostname}]" if ":" in str(_portal.hostname) else _portal.hostname
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", default=[_host, "127.0.0.1", "localhost"])
_mail_domain = str(_host).replace("[", "[IPv6:")
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS", default=[f"{_portal.scheme}://{_portal.netloc}"])

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
if IS_HTTPS:
    # A cookie of this name is only taken from this very host, over https, for all of its pages (RFC 6265bis, 4.1.3.2).
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=IS_HTTPS)
# A watching machine on the same host asks over http.
SECURE_REDIRECT_EXEMPT = [r"^sante/$", r"^sante/metriques/$"]
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000 if IS_HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=IS_HTTPS)
SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=IS_HTTPS)
# A proxy in front says whom it serves; without one, what a browser claims is not believed.
TRUSTED_PROXIES = read_trusted_proxies(env.str("BEHIND_PROXY", default="0"))
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"  # for browsers without frame-ancestors, which has the last word: our pages frame PDF, mail
SECURE_CSP: dict[str, Any] = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],  # data: for the QR code of a transfer, drawn by the server
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-src": [CSP.SELF],
    "frame-ancestors": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "object-src": [CSP.NONE],
    "manifest-src": [CSP.SELF],
}

SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # the login is unique by a constraint on its lower form, unseen by this check

# ─── Applications ────────────────────────────────────────────────────────────────────────────────────────────────────
INSTALLED_APPS = [
    "portal",
    "invoices",
    "customers",
    "mailing",
    "mailing.trail",
    "mailing.quarantine",
    "portal.backoffice.config.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "axes",
    "django_tasks_db",
]

MIDDLEWARE = [
    "portal.logs.RequestIdMiddleware",
    "portal.bodies.QueryMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "portal.bodies.BodyLimitMiddleware",  # before the CSRF check, which reads the body
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portal.middleware.SignInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "portal.middleware.SpaceMiddleware",
    "portal.backoffice.impersonation.VisitMiddleware",  # after the session knows whose it is
    "portal.space.acting.ActingMiddleware",
    "portal.languages.LanguageMiddleware",  # after both: whose language it is
    "portal.space.views.errors.no_dead_end",
    "portal.space.crowds.CrowdMiddleware",
    "portal.space.crowds.ArchivesMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "portal.urls"
SPACE_URLCONF = "portal.space.urls"  # the part of it that mails name
WSGI_APPLICATION = "portal.wsgi.application"

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
                "portal.faces.company",
            ],
            "builtins": ["portal.templatetags.formatting"],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# ─── Data ────────────────────────────────────────────────────────────────────────────────────────────────────────────
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.address(
        "DATABASE_URL",
        env.db_url_config,
        default=f"sqlite:///{VAR_DIR / 'portail.sqlite3'}",
        example="postgres://portail:secret@127.0.0.1:5432/portail",
    ),
}
_kept_for = env.int("CONN_MAX_AGE", default=60)  # read whatever the database, to be refused whatever it is
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    env.make_folder_of("DATABASE_URL", Path(DATABASES["default"]["NAME"]))
    # Several processes write: readers never wait (WAL), writers queue at BEGIN (IMMEDIATE) instead of failing half-way.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = _kept_for
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DOCUMENTS_ROOT = env.folder("DOCUMENTS_ROOT", default=VAR_DIR / "documents")
# Empty: the folder above. Otherwise an S3-compatible store, shared by as many machines as wanted.
DOCUMENTS_STORAGE_URL = env.str("DOCUMENTS_STORAGE_URL", default="")
if DOCUMENTS_STORAGE_URL:
    require_extra("DOCUMENTS_STORAGE_URL", "s3", "storages", "boto3")
STORAGES: dict[str, dict[str, Any]] = {
    "default": read_storage_url(DOCUMENTS_STORAGE_URL),
    "staticfiles": {"BACKEND": "portal.static_files.StaticStorage"},
}
# The largest file that somebody may drop on the public verification page, in bytes.
VERIFICATION_UPLOAD_LIMIT = env.int("VERIFICATION_UPLOAD_LIMIT", default=10_000_000, least=1)
ARCHIVES_AT_ONCE = 4  # ZIPs that one process makes at the same time; its other threads answer pages
# Documents are served by the application; behind nginx or Apache the server itself can send the file.
DOCUMENTS_SEND_HEADER = env.spelling("DOCUMENTS_SEND_HEADER", ("X-Accel-Redirect", "X-Sendfile"))
DOCUMENTS_SEND_PREFIX = env.absolute_path("DOCUMENTS_SEND_PREFIX", example="/interne/documents/")
if DOCUMENTS_SEND_HEADER and DOCUMENTS_STORAGE_URL:
    raise wrong(
        "DOCUMENTS_SEND_HEADER",
        DOCUMENTS_SEND_HEADER,
        expected="rien : les documents sont sur un stockage (DOCUMENTS_STORAGE_URL), pas en fichiers locaux",
        example="",
    )

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = DEBUG
# Pages only name files by their fingerprint; pictures and fonts are compressed already.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("jpg", "jpeg", "png", "gif", "webp", "woff", "woff2", "ico")

CACHES = {
    "default": env.address(
        "CACHE_URL",
        env.cache_url_config,
        default=f"filecache://{VAR_DIR / 'cache'}",
        example="rediscache://127.0.0.1:6379/1",
    )
}
if "redis" in CACHES["default"]["BACKEND"].lower():
    require_extra("CACHE_URL", "redis", "redis")

# ─── Accounts ────────────────────────────────────────────────────────────────────────────────────────────────────────
AUTH_USER_MODEL = "customers.Account"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "customers.authentication.AccountBackend",
]
# In a process; each takes 100 MB.
PASSWORD_HASHES_AT_ONCE = env.int("PASSWORD_HASHES_AT_ONCE", default=2, least=1, most=1000)
PASSWORD_HASHERS = [
    "customers.hashing.BoundedArgon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("login", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "customers.passwords.GuessablePasswordValidator"},
]
MESSAGE_STORAGE = "portal.notices.NoticeStorage"
# A session ends with the browser, or after half a day without a sign of life; «rester connecté» keeps it longer.
SESSION_ENGINE = "portal.sessions"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_AGE = 12 * 3600
# Staff sign in again each working day, however busy the session was.
STAFF_SESSION_AGE = timedelta(hours=12)
# Secrets and exports of data ask once more who is there, that long after the sign-in.
PROOF_AGE = timedelta(minutes=15)
# A trial on one's own machine asks for no telephone; staff of a portal that is published in https have a second factor.
STAFF_SECOND_FACTOR = env.choice(
    "STAFF_SECOND_FACTOR", ("REQUIRED", "OFFERED"), default="required" if IS_HTTPS and not DEBUG else "offered"
).lower()
SESSION_REMEMBERED_FOR = timedelta(days=env.int("SESSION_REMEMBERED_DAYS", default=60, least=1, most=MOST_DAYS))

# The issuer of identities at which staff sign in (OpenID Connect); None: by password only.
OIDC = read_issuer(
    {
        "issuer": env.str("OIDC_ISSUER", default=""),
        "client_id": env.str("OIDC_CLIENT_ID", default=""),
        "client_secret": env.str("OIDC_CLIENT_SECRET", default=""),
        "name": env.str("OIDC_NAME", default=""),
        "scopes": env.str("OIDC_SCOPES", default=""),
        "groups_claim": env.str("OIDC_GROUPS_CLAIM", default=""),
        "groups": env.str("OIDC_GROUPS", default=""),
        "domain": env.host("OIDC_DOMAIN", example="exemple.fr"),
        "second_factor": env.str("OIDC_SECOND_FACTOR", default=""),
        "acr_values": env.str("OIDC_ACR_VALUES", default=""),
        "emergency_account": env.str("OIDC_EMERGENCY_ACCOUNT", default=""),
    },
    is_only_way=env.bool("OIDC_ONLY", default=False),
)

# Links by mail: good once, and not after their time (customers.links).
SESAME_ONE_TIME = False  # customers.links keeps those that served: one used leaves the others alone
SESAME_MAX_AGE = 3600

LOGIN_URL = "login"
CSRF_FAILURE_VIEW = "portal.space.views.resuming.stale_form"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
PROVISIONAL_PASSWORD_LIFETIME = timedelta(
    days=env.int("PROVISIONAL_PASSWORD_DAYS", default=30, least=1, most=MOST_DAYS)
)

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_FORM_FIELD = "username"
AXES_ENABLE_ADMIN = False
# Failed tries are counted and forgotten after a while; no one's addresses and browsers are kept of those who came in.
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "portal.space.requests.client_network"
AXES_USERNAME_CALLABLE = "portal.space.requests.login_tried"
AXES_LOCKOUT_CALLABLE = "portal.space.views.errors.locked_out"

# ─── Proof ───────────────────────────────────────────────────────────────────────────────────────────────────────────
TIMESTAMP_URL = env.link("TIMESTAMP_URL", ("https://", "http://"), example="https://horodatage.exemple.fr")
TIMESTAMP_CA_FILE = env.str("TIMESTAMP_CA_FILE", default="").strip()

# Personal data whose time is over is forgotten each night by the worker; otherwise by ``manage.py purge`` alone.
PURGE_NIGHTLY = env.bool("PURGE_NIGHTLY", default=False)

# ─── Mail ────────────────────────────────────────────────────────────────────────────────────────────────────────────
MAIL_ROOT = env.folder("MAIL_ROOT", default=VAR_DIR / "mail")
# Empty: each mail is written as one .eml file under MAIL_ROOT. Otherwise smtp://, smtp+tls:// or smtp+ssl://.
EMAIL_URL = env.str("EMAIL_URL", default="")
MAILERS = read_mailers(EMAIL_URL, timeout=env.int("EMAIL_TIMEOUT", default=30, least=1, most=DAY), folder=MAIL_ROOT)
DEFAULT_FROM_EMAIL = env.sender("DEFAULT_FROM_EMAIL", default=f"factures@{_mail_domain}", example="factures@exemple.fr")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# Whom check_mail asks: host or host:port. Empty: the resolver of the machine.
DNS_SERVER = env.name_server("DNS_SERVER")
# Who is notified by mail when our own mail server is refused, a process is silent or the disk fills.
TECHNICAL_EMAIL = env.mail_address("TECHNICAL_EMAIL", example="informatique@exemple.fr")
# Where mail servers return what they cannot deliver: retours@… becomes retours+<token>@… on each mail, so this mailbox
# must take plus addresses. Empty: mails come back to their sender, and are matched by their Message-ID. Not guessed
# once a real server is used, since many refuse a return address that they do not know.
BOUNCE_ADDRESS = env.mail_address(
    "BOUNCE_ADDRESS", default="" if EMAIL_URL else f"retours@{_mail_domain}", example="retours@exemple.fr"
)
# Instead of passwords in EMAIL_URL and IMAP_URL: how a token is had (mailing.oauth).
MAIL_OAUTH = read_mail_oauth(
    {
        "provider": env.str("MAIL_OAUTH_PROVIDER", default=""),
        "flow": env.str("MAIL_OAUTH_FLOW", default=""),
        "tenant": env.str("MAIL_OAUTH_TENANT", default=""),
        "client_id": env.str("MAIL_OAUTH_CLIENT_ID", default=""),
        "client_secret": env.str("MAIL_OAUTH_CLIENT_SECRET", default=""),
        "key_file": env.str("MAIL_OAUTH_KEY_FILE", default=""),
        "user": env.mail_address("MAIL_OAUTH_USER", example="factures@exemple.fr"),
        "token_url": env.str("MAIL_OAUTH_TOKEN_URL", default=""),
        "device_url": env.str("MAIL_OAUTH_DEVICE_URL", default=""),
        "scopes": env.str("MAIL_OAUTH_SCOPES", default=""),
    }
)
_imap_example = "imaps://utilisateur:secret@imap.exemple.fr/INBOX"
IMAP_URL = env.link("IMAP_URL", ("imaps://", "imap+tls://", "imap://"), example=_imap_example)
MAIL_CONNECTIONS = env.int("MAIL_CONNECTIONS", default=4, least=1, most=100)  # SMTP connections of one process
MAIL_PER_MINUTE = env.int("MAIL_PER_MINUTE", default=0)  # in any sliding minute, all processes together; 0: no limit
MAIL_PER_HOUR = env.int("MAIL_PER_HOUR", default=0)
MAIL_PER_CONNECTION = env.int("MAIL_PER_CONNECTION", default=100, least=1)  # mails before a connection is opened again
# How long a mail stays with a worker that gives no more sign of life, in seconds.
MAIL_LEASE = timedelta(seconds=env.int("MAIL_LEASE_SECONDS", default=120, least=1, most=DAY))
# How long a server may think after the whole mail was sent (RFC 5321 § 4.5.3.2.6 asks for 10 minutes): giving up
# earlier risks sending a mail twice that was about to be accepted.
MAIL_FINAL_REPLY_TIMEOUT = env.int("MAIL_FINAL_REPLY_TIMEOUT", default=600, least=1, most=DAY)
MAIL_GIVE_UP_AFTER = timedelta(hours=env.int("MAIL_GIVE_UP_HOURS", default=72, least=1, most=MOST_DAYS * 24))
DKIM_DOMAIN = env.host("DKIM_DOMAIN", example="exemple.fr")
DKIM_SELECTOR = env.host("DKIM_SELECTOR", example="portail")
DKIM_PRIVATE_KEY = env.str("DKIM_PRIVATE_KEY", default="")  # path of a PEM file

# ─── Tasks ───────────────────────────────────────────────────────────────────────────────────────────────────────────
# "database" (default), "immediate" (in the process that asks), or redis://… for Redis.
TASKS_BACKEND = env.str("TASKS_BACKEND", default="").strip() or "database"
TASKS, RQ_QUEUES = read_queue(TASKS_BACKEND)
if RQ_QUEUES:
    INSTALLED_APPS += ["django_rq"]
    RQ_SHOW_ADMIN_LINK = False  # neither pages nor addresses of the queue in the back-office

# ─── Import ──────────────────────────────────────────────────────────────────────────────────────────────────────────
# The folder that run_worker watches, and what follows an import: import (nothing), list or export.
IMPORT_FOLDER = env.str("IMPORT_FOLDER", default="")
IMPORT_FOLDER_THEN = env.choice("IMPORT_FOLDER_THEN", ("IMPORT", "LIST", "EXPORT"), default="IMPORT").lower()
IMPORT_FOLDER_SELECTION = env.str("IMPORT_FOLDER_SELECTION", default="")  # a saved selection, for its choices
# Who is notified of what waits; else the issuer's address.
IMPORT_FOLDER_MAIL = env.mail_address("IMPORT_FOLDER_MAIL", example="compta@exemple.fr")

# ─── Export ──────────────────────────────────────────────────────────────────────────────────────────────────────────
# How long a worker may hold the lines it claimed before another takes them over.
EXPORT_LEASE_SECONDS = env.int("EXPORT_LEASE_SECONDS", default=180, least=1, most=DAY)
# Processes of one run on one machine; 0: as many as there are cores.
EXPORT_PROCESSES = env.int("EXPORT_PROCESSES", default=0, most=1000)
# Above this size, a mail of several invoices carries the link only.
MAIL_ATTACHMENTS_LIMIT = env.int("MAIL_ATTACHMENTS_LIMIT", default=10_000_000)

# ─── Language ────────────────────────────────────────────────────────────────────────────────────────────────────────
LANGUAGE_CODE = "fr"
# Customers' languages by their own names: one more here, and the catalogue that bin/messages begins.
LANGUAGES = [("fr", "français"), ("en", "English"), ("de", "Deutsch"), ("es", "español")]
LOCALE_PATHS = [BASE_DIR / "portal" / "locale", BASE_DIR / "portal" / "backoffice" / "locale"]
TIME_ZONE = env.time_zone("TIME_ZONE", default="Europe/Paris")
USE_TZ = True
FORMAT_MODULE_PATH = ["portal.formats"]

# ─── Health ─────────────────────────────────────────────────────────────────────────────────────────────────────────
# Whoever holds it reads on /sante/ what is wrong, not only that something is.
HEALTH_TOKEN = env.token("HEALTH_TOKEN")

# TECHNICAL_EMAIL is notified when the disk of documents will be full within so many days, at the pace of the last ones.
DISK_ALERT_DAYS = env.int("DISK_ALERT_DAYS", default=14, most=MOST_DAYS)

# ─── Logs ────────────────────────────────────────────────────────────────────────────────────────────────────────────
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# line: text for people; json: one object a line, for a collector of logs.
LOG_FORMAT = env.choice("LOG_FORMAT", ("LINE", "JSON"), default="line").lower()
LOGGING = describe_logging(LOG_FORMAT, env.choice("LOG_LEVEL", LOG_LEVELS, default="WARNING"))
