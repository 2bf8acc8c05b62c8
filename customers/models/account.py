"""The accounts with which customers and staff log in, and which customers an account sees."""

from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from customers.logins import LONGEST_LOGIN
from customers.models.customer import Customer
from customers.models.login_field import LoginField


class AccountManager(BaseUserManager["Account"]):
    """Makes accounts."""

    def get_by_natural_key(self, username: str | None) -> "Account":
        """The account of this login, whatever its case."""
        return self.get(login=username or "")

    def create_user(self, login: str, password: str | None = None, **fields: Any) -> "Account":
        """An account with this login; without a password it allows no sign-in yet."""
        account = self.model(login=login.strip(), **fields)
        account.set_password(password)
        account.save(using=self._db)
        return account

    def create_superuser(self, login: str, password: str | None = None, **fields: Any) -> "Account":
        """An account that may do everything in the back-office."""
        return self.create_user(login, password, is_staff=True, is_superuser=True, **fields)


class AccountQuerySet(models.QuerySet["Account"]):
    """Questions about accounts."""

    def of_customers(self) -> Self:
        """Accounts of the customers' space."""
        return self.filter(is_staff=False)

    def never_connected(self) -> Self:
        """Customers' accounts that were never used."""
        return self.of_customers().filter(last_login=None)

    def with_expired_provisional(self, now: Any) -> Self:
        """Customers' accounts whose provisional password ran out before its first use."""
        return self.of_customers().filter(must_change_password=True, provisional_expires_at__lte=now)


class Account(AbstractBaseUser, PermissionsMixin):
    """Who logs in: a customer's account, or a member of staff."""

    login = LoginField(_("identifiant"), max_length=LONGEST_LOGIN)
    name = models.CharField(_("nom"), max_length=200, blank=True)
    is_active = models.BooleanField(_("compte actif"), default=True)
    is_staff = models.BooleanField(_("accès au back-office"), default=False)
    provisional_password = models.TextField(blank=True, editable=False)
    provisional_expires_at = models.DateTimeField(_("mot de passe provisoire valable jusqu’au"), null=True, blank=True)
    must_change_password = models.BooleanField(_("doit choisir son mot de passe"), default=False)
    password_changed_at = models.DateTimeField(_("mot de passe choisi le"), null=True, blank=True)
    credentials_sent_at = models.DateTimeField(_("identifiants envoyés le"), null=True, blank=True)
    notify_by_mail = models.BooleanField(_("recevoir un mail à chaque facture"), default=True)
    language = models.CharField(_("langue"), max_length=5, default="fr")
    # Sessions opened before do not open the space any more.
    sessions_closed_at = models.DateTimeField(_("sessions fermées le"), null=True, blank=True, editable=False)
    # When its owner turned it on; the key itself is in SecondFactor.
    second_factor_at = models.DateTimeField(_("double authentification"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("créé le"), default=timezone.now, editable=False)
    customers = models.ManyToManyField(
        Customer, through="Access", related_name="accounts", verbose_name=_("clients"), blank=True
    )

    objects = AccountManager.from_queryset(AccountQuerySet)()

    USERNAME_FIELD = "login"

    class Meta:
        verbose_name = _("compte")
        verbose_name_plural = _("comptes")
        ordering = ("login",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                Lower("login"),
                name="login_is_unique_whatever_its_case",
                violation_error_message=_("Cet identifiant est déjà pris."),
            ),
        ]
        permissions: ClassVar = [
            ("manage_credentials", _("Peut générer et envoyer les identifiants")),
            ("reveal_provisional_password", _("Peut montrer un mot de passe provisoire")),
            ("impersonate_customer", _("Peut voir l’espace comme le client")),
        ]

    def __str__(self) -> str:
        return self.login

    @property
    def has_expired_provisional(self) -> bool:
        """True where the account still has a provisional password and its time has run out."""
        return bool(
            self.must_change_password
            and self.provisional_expires_at is not None
            and self.provisional_expires_at <= timezone.now()
        )

    @property
    def has_chosen_password(self) -> bool:
        """True once its owner has set a password of his own."""
        return self.password_changed_at is not None and not self.must_change_password

    def _get_session_auth_hash(self, secret: str | bytes | None = None) -> str:
        """Django's own hash of the password, and when all sessions were closed: another value ends every session."""
        closed = self.sessions_closed_at.isoformat() if self.sessions_closed_at else ""
        password_hash = super()._get_session_auth_hash(secret)  # type: ignore[misc]
        return salted_hmac(
            "customers.Account.sessions", password_hash + closed, secret=secret, algorithm="sha256"
        ).hexdigest()

    def get_full_name(self) -> str:
        """The name by which the portal greets, else the login."""
        return self.name or self.login

    def get_short_name(self) -> str:
        """The same as the full name."""
        return self.get_full_name()


class CustomerAccount(Account):
    """The accounts of the customers' space, as a list of their own in the back-office."""

    class Meta:
        proxy = True
        verbose_name = _("compte de l’espace client")
        verbose_name_plural = _("comptes de l’espace client")


class StaffAccount(Account):
    """The users of the back-office, as a list of their own."""

    class Meta:
        proxy = True
        verbose_name = _("utilisateur")
        verbose_name_plural = _("utilisateurs")


class Access(models.Model):
    """Which customers an account sees."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="accesses", verbose_name=_("compte"))
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="accesses", verbose_name=_("client"))
    created_at = models.DateTimeField(_("créé le"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("accès")
        verbose_name_plural = _("accès")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("account", "customer"), name="one_access_per_account_and_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.account} → {self.customer}"
