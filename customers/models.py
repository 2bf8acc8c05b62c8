"""Customers, their contacts, and the accounts with which they log in."""

import uuid
from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from customers.identifiers import check_siren, check_siret, check_vat_identifier
from customers.searching import search_key

DEMATERIALISED = "D"


class CustomerQuerySet(models.QuerySet["Customer"]):
    """Questions about customers."""

    def dematerialised(self) -> Self:
        """Customers whose invoices are delivered electronically (D)."""
        return self.filter(invoice_copies=DEMATERIALISED)

    def without_address(self) -> Self:
        """Customers with neither an address of their own nor a contact's."""
        contacts = Contact.objects.filter(customer=OuterRef("pk")).exclude(email="")
        return self.filter(~Exists(contacts), email="")


class Customer(models.Model):
    """A buyer, as the ERP knows it."""

    class Kind(models.TextChoices):
        PROFESSIONAL = "professional", _("professionnel")
        INDIVIDUAL = "individual", _("particulier")

    code = models.CharField(_("code"), max_length=50, unique=True)
    name = models.CharField(_("raison sociale"), max_length=200)
    kind = models.CharField(_("type"), max_length=12, choices=Kind, default=Kind.PROFESSIONAL)
    is_public_body = models.BooleanField(_("personne publique (Chorus Pro)"), default=False)
    email = models.CharField(_("e-mail"), max_length=254, blank=True)
    address = models.CharField(_("adresse"), max_length=300, blank=True)
    address_complement = models.CharField(_("complément d’adresse"), max_length=300, blank=True)
    postcode = models.CharField(_("code postal"), max_length=20, blank=True)
    city = models.CharField(_("ville"), max_length=100, blank=True)
    country = models.CharField(
        _("pays"),
        max_length=2,
        default="FR",
        validators=[RegexValidator(r"^[A-Z]{2}\Z", _("Le pays est un code à deux lettres (FR, DE…)."))],
    )
    phone = models.CharField(_("téléphone"), max_length=50, blank=True)
    siren = models.CharField("SIREN", max_length=9, blank=True)
    siret = models.CharField("SIRET", max_length=14, blank=True)
    vat_identifier = models.CharField(_("n° de TVA intracommunautaire"), max_length=30, blank=True)
    electronic_address = models.CharField(
        _("adresse électronique de facturation"),
        max_length=100,
        blank=True,
        help_text=_("Adresse de l’annuaire de la facturation électronique, si elle diffère du SIREN."),
    )
    invoice_copies = models.CharField(
        _("nombre de factures à éditer"),
        max_length=3,
        default="1",
        help_text=_("D : démat, les factures sont déposées sur l’espace client. Un nombre : exemplaires papier."),
        validators=[RegexValidator(r"^(D|\d{1,3})\Z", _("Saisissez D (démat) ou un nombre d’exemplaires papier."))],
    )
    created_at = models.DateTimeField(_("créé le"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("modifié le"), auto_now=True)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        ordering = ("code",)
        indexes: ClassVar = [
            models.Index(fields=("kind", "invoice_copies"), name="customers_by_kind"),
            models.Index(Lower("name"), name="customers_by_name"),
            models.Index(Lower("email"), name="customers_by_email"),
            models.Index(fields=("siren",), name="customers_by_siren", condition=~Q(siren="")),
            models.Index(fields=("vat_identifier",), name="customers_by_vat", condition=~Q(vat_identifier="")),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(code="") & ~Q(name=""),
                name="customer_has_code_and_name",
                violation_error_message=_("Un client a un code et une raison sociale."),
            ),
            models.CheckConstraint(
                condition=Q(invoice_copies="D") | Q(invoice_copies__regex=r"^[0-9]+$"),
                name="customer_copies_are_d_or_a_number",
                violation_error_message=_("Saisissez D (démat) ou un nombre d’exemplaires papier."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def is_dematerialised(self) -> bool:
        """True where the invoices are delivered electronically (D)."""
        return self.invoice_copies == DEMATERIALISED

    @property
    def is_professional(self) -> bool:
        """True for companies and public bodies."""
        return self.kind == self.Kind.PROFESSIONAL

    def clean(self) -> None:
        """Normalise what people type; check SIREN, SIRET and VAT numbers by their check digits."""
        self.invoice_copies = self.invoice_copies.strip().upper()
        self.email = self.email.strip()
        self.country = self.country.strip().upper()
        errors: dict[str, str] = {}
        self.siren, problem = check_siren(self.siren)
        if problem:
            errors["siren"] = problem
        self.siret, problem = check_siret(self.siret)
        if problem:
            errors["siret"] = problem
        elif self.siret and self.siren and not self.siret.startswith(self.siren):
            errors["siret"] = str(_("Le SIRET %(siret)s n’est pas de ce SIREN.") % {"siret": self.siret})
        self.vat_identifier, problem = check_vat_identifier(self.vat_identifier)
        if problem:
            errors["vat_identifier"] = problem
        if errors:
            raise ValidationError(errors)


class Contact(models.Model):
    """A person or a desk at the customer's."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="contacts", verbose_name=_("client"))
    name = models.CharField(_("nom"), max_length=200)
    function = models.CharField(_("fonction"), max_length=200, blank=True)
    function_key = models.CharField(max_length=200, blank=True, editable=False)
    email = models.CharField(_("e-mail"), max_length=254, blank=True)
    is_main = models.BooleanField(_("interlocuteur principal"), default=False)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ("customer", "-is_main", "name")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("customer",),
                condition=Q(is_main=True),
                name="one_main_contact_per_customer",
                violation_error_message=_("Ce client a déjà un interlocuteur principal."),
            ),
            models.UniqueConstraint(
                "customer",
                Lower("email"),
                condition=~Q(email=""),
                name="one_contact_per_customer_and_address",
                violation_error_message=_("Ce client a déjà un contact à cette adresse."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.function})" if self.function else self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the searched form of the function beside the function."""
        self.function_key = search_key(self.function)
        super().save(*args, **kwargs)


class AccountManager(BaseUserManager["Account"]):
    """Makes accounts; a login is kept as it was given and compared without case."""

    def get_by_natural_key(self, username: str | None) -> "Account":
        """The account of this login, whatever its case."""
        return self.get(login__iexact=username)

    def create_user(self, login: str, password: str | None = None, **fields: Any) -> "Account":
        """An account with this login; without a password nobody can log in with it yet."""
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
        """Customers' accounts that nobody has used."""
        return self.of_customers().filter(last_login=None)

    def with_expired_provisional(self, now: Any) -> Self:
        """Customers' accounts whose provisional password ran out before its first use."""
        return self.of_customers().filter(must_change_password=True, provisional_expires_at__lte=now)


class Account(AbstractBaseUser, PermissionsMixin):
    """Who logs in: a customer's account, or a member of staff."""

    login = models.CharField(_("identifiant"), max_length=254)
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
        """True where the account still stands on a provisional password and its time has run out."""
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


class GestureQuerySet(models.QuerySet["Gesture"]):
    """Questions about gestures on many rows."""

    def claimable(self, now: Any) -> Self:
        """Gestures that a worker may take: waiting, or in the hands of one whose lease has ended."""
        return self.filter(
            Q(state=Gesture.State.WAITING) | Q(state=Gesture.State.RUNNING, lease_until__lt=now),
        )


class Gesture(models.Model):
    """A gesture on many customers or accounts: confirmed by a person, done by a worker, told in a report."""

    class Kind(models.TextChoices):
        DEMATERIALISE = "dematerialise", _("Passer en D (démat)")
        CREATE = "create", _("Créer les identifiants")
        SEND = "send", _("Envoyer les identifiants")
        RELAUNCH = "relaunch", _("Relancer : nouveau mot de passe provisoire, envoyé")
        ACTIVATE = "activate", _("Activer les comptes")
        DEACTIVATE = "deactivate", _("Désactiver les comptes")

    class State(models.TextChoices):
        WAITING = "waiting", _("en attente")
        RUNNING = "running", _("en cours")
        DONE = "done", _("terminée")

    ON_CUSTOMERS: ClassVar = (Kind.DEMATERIALISE, Kind.CREATE)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("action"), max_length=20, choices=Kind)
    state = models.CharField(_("état"), max_length=7, choices=State, default=State.WAITING)
    author = models.ForeignKey(
        Account, on_delete=models.SET_NULL, null=True, blank=True, related_name="gestures", verbose_name=_("auteur")
    )
    author_name = models.CharField(_("auteur"), max_length=254, blank=True)
    # Primary keys of customers or of accounts (ON_CUSTOMERS), in the order in which they are done.
    targets = models.JSONField(_("cibles"), default=list)
    # Of CREATE only: the mails of the new accounts are written too.
    also_sends = models.BooleanField(_("avec envoi"), default=False)
    position = models.PositiveIntegerField(_("faites"), default=0)
    changed = models.PositiveIntegerField(_("changées"), default=0)
    mails = models.PositiveIntegerField(_("mails écrits"), default=0)
    # What was left as it is: [name, why], both for people.
    skipped = models.JSONField(_("laissées"), default=list)
    created_at = models.DateTimeField(_("demandée le"), default=timezone.now, editable=False)
    lease_until = models.DateTimeField(_("réservée jusqu’à"), null=True, blank=True)
    finished_at = models.DateTimeField(_("terminée le"), null=True, blank=True)

    objects = GestureQuerySet.as_manager()

    class Meta:
        verbose_name = _("action groupée")
        verbose_name_plural = _("actions groupées")
        ordering = ("-created_at",)
        indexes: ClassVar = [
            models.Index(fields=("state",), name="gestures_to_do", condition=~Q(state="done")),
            models.Index(fields=("-created_at",), name="gestures_by_date"),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    @property
    def is_on_customers(self) -> bool:
        """True where the targets are customers, False where they are accounts."""
        return self.kind in self.ON_CUSTOMERS

    @property
    def total(self) -> int:
        """How many rows it is about."""
        return len(self.targets)

    @property
    def is_done(self) -> bool:
        """True once every row was looked at."""
        return self.state == self.State.DONE
