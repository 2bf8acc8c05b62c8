"""The WEB tab of the customer card: the accounts of a customer, and the actions on each."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _

from customers.card_changes import notify_customer_changed
from customers.credentials import read_provisional
from customers.models import Access, Customer, CustomerAccount
from customers.recipients import ContactRules, find_recipients_of
from customers.services import (
    generate_credentials,
    mails_of_credentials,
    renew_credentials,
    send_credentials,
    set_active,
)
from portal.backoffice.ui.confirmation import Choice, Plan, ask_page, is_confirmed, make_group
from portal.backoffice.ui.gone import GoneError
from portal.proof import ask_for_proof
from portal.sessions import is_proved_lately

MANAGE = "customers.manage_credentials"
REVEAL = "customers.reveal_provisional_password"


class CardActions:
    """The actions of the card, each a POST that checks its right, is written into the history and leads back."""

    def __init__(self, model_admin: admin.ModelAdmin[Customer]) -> None:
        self.admin = model_admin

    # ─── What the tab shows ──────────────────────────────────────────────────────────────────────────────────────────
    def context(self, request: HttpRequest, customer: Customer) -> dict[str, Any]:
        """The accounts of ``customer``, and the addresses that have none yet."""
        accounts = list(
            CustomerAccount.objects.filter(is_staff=False, pk__in=customer.accesses.values("account")).order_by("login")
        )
        seen = dict(Access.objects.filter(account__in=accounts).values_list("account").annotate(Count("pk")).order_by())
        taken = {account.login.lower() for account in accounts}
        return {
            "web_accounts": [
                {
                    "account": account,
                    "has_provisional": read_provisional(account) is not None,
                    "others": seen[account.pk] - 1,
                    "last_mail": next(iter(mails_of_credentials(account)), None),
                }
                for account in accounts
            ],
            "free_addresses": [
                (address, name) for address, name in _addresses(customer) if address.lower() not in taken
            ],
            "may_manage": request.user.has_perm(MANAGE),
            "may_reveal": request.user.has_perm(REVEAL),
            "may_impersonate": request.user.has_perm("customers.impersonate_customer"),
        }

    # ─── The actions ────────────────────────────────────────────────────────────────────────────────────────────────
    def create(self, request: HttpRequest, customer_id: int) -> HttpResponse:
        """*Créer les identifiants* for the ticked addresses (the only one where there is only one)."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        customer = self._customer(request, customer_id, MANAGE)
        known = {address.lower(): (address, name) for address, name in _addresses(customer)}
        chosen = [known[typed.lower()] for typed in request.POST.getlist("address") if typed.lower() in known]
        if not known:
            messages.error(
                request, _("Ce client n’a pas d’adresse e-mail : saisissez-la dans l’entête ou dans un contact.")
            )
        elif not chosen:
            messages.error(request, _("Choisissez à quelle adresse créer les identifiants."))
        made = []
        for address, name in chosen:
            try:
                made.append(generate_credentials(customer=customer, address=address, name=name).account)
            except ValueError:
                messages.error(
                    request,
                    _("L’adresse %(address)s est celle d’un membre du personnel : elle ne peut servir d’identifiant.")
                    % {"address": address},
                )
        if made:
            notify_customer_changed(customer)
            logins = ", ".join(account.login for account in made)
            self.admin.log_change(request, customer, _("Identifiants créés : %(logins)s.") % {"logins": logins})
            messages.success(request, _("Identifiants créés : %(logins)s.") % {"logins": logins})
            if request.POST.get("also_sends") == "1":
                self._send(request, customer, made)
        return self._back(customer)

    def send(self, request: HttpRequest, customer_id: int, account_id: int) -> HttpResponse:
        """*Envoyer les identifiants*."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        customer = self._customer(request, customer_id, MANAGE)
        self._send(request, customer, [self._account(customer, account_id)])
        return self._back(customer)

    def renew(self, request: HttpRequest, customer_id: int, account_id: int) -> HttpResponse:
        """*Réinitialiser*: asks first, since the old password stops working at once."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        customer = self._customer(request, customer_id, MANAGE)
        account = self._account(customer, account_id)
        plan = Plan(
            title=_("Réinitialiser le mot de passe"),
            sentence=_("%(login)s recevra un nouveau mot de passe provisoire.") % {"login": account.login},
            warning=_("Son mot de passe actuel cessera de fonctionner aussitôt."),
            button=_("Réinitialiser"),
            count=1,
            groups=[make_group(_("Compte"), [account.login], count=1)],
            choices=[Choice("also_sends", _("Envoyer aussi les identifiants par mail"), is_ticked=True)],
        )
        if not is_confirmed(request, plan):
            return ask_page(
                self.admin, request, plan, fields=(), post_to=request.path, back=self._back_address(customer)
            )
        renew_credentials(account=account)
        self.admin.log_change(request, customer, _("Mot de passe réinitialisé : %(login)s.") % {"login": account.login})
        messages.success(request, _("Nouveau mot de passe provisoire pour %(login)s.") % {"login": account.login})
        if request.POST.get("also_sends") == "1":
            self._send(request, customer, [account])
        return self._back(customer)

    def reveal(self, request: HttpRequest, customer_id: int, account_id: int) -> HttpResponseBase:
        """*Montrer*: the provisional password on a page that nothing keeps; the action is written into the history."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        customer = self._customer(request, customer_id, REVEAL)
        if not is_proved_lately(request):
            return ask_for_proof(request)
        account = self._account(customer, account_id)
        secret = read_provisional(account)
        if secret is None:
            messages.error(
                request,
                _("%(login)s n’a plus de mot de passe provisoire : il a été changé ou a expiré.")
                % {"login": account.login},
            )
            return self._back(customer)
        self.admin.log_change(
            request, customer, _("Mot de passe provisoire montré : %(login)s.") % {"login": account.login}
        )
        context = {
            **self.admin.admin_site.each_context(request),
            "title": _("Mot de passe provisoire"),
            "opts": self.admin.opts,
            "customer": customer,
            "account": account,
            "secret": secret,
            "back": self._back_address(customer),
        }
        response = TemplateResponse(request, "backoffice/customers/secret.html", context)
        add_never_cache_headers(response)
        return response

    def set_state(self, request: HttpRequest, customer_id: int, account_id: int) -> HttpResponse:
        """*État du compte*: actif or désactivé."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        customer = self._customer(request, customer_id, MANAGE)
        account = self._account(customer, account_id)
        wanted = request.POST.get(f"state_{account.pk}")
        if wanted not in ("active", "disabled"):
            messages.error(request, _("Choisissez « compte actif » ou « compte désactivé »."))
            return self._back(customer)
        is_active = wanted == "active"
        if set_active(accounts=[account], is_active=is_active):
            _notify_customers_of(account)
            sentence = (_("Compte activé : %(login)s.") if is_active else _("Compte désactivé : %(login)s.")) % {
                "login": account.login
            }
            self.admin.log_change(request, customer, sentence)
            messages.success(request, sentence)
        return self._back(customer)

    # ─── What they share ─────────────────────────────────────────────────────────────────────────────────────────────
    def _customer(self, request: HttpRequest, customer_id: int, permission: str) -> Customer:
        """The customer; raises PermissionDenied, or GoneError where it was removed meanwhile."""
        if not request.user.has_perm(permission) or not self.admin.has_view_permission(request):
            raise PermissionDenied
        customer = Customer.objects.filter(pk=customer_id).first()
        if customer is None:
            raise GoneError(
                _("Ce client a été supprimé entre-temps : rien n’a été fait."),
                back=reverse("admin:customers_customer_changelist"),
            )
        return customer

    def _account(self, customer: Customer, account_id: int) -> CustomerAccount:
        account = CustomerAccount.objects.filter(pk=account_id, is_staff=False, accesses__customer=customer).first()
        if not isinstance(account, CustomerAccount):
            raise GoneError(
                _("Ce compte n’est plus rattaché à ce client : rien n’a été fait."), back=self._back_address(customer)
            )
        return account

    def _send(self, request: HttpRequest, customer: Customer, accounts: list[Any]) -> None:
        count = send_credentials(accounts=accounts)
        logins = ", ".join(account.login for account in accounts)
        if not count:
            messages.error(request, _("%(logins)s : compte désactivé, rien n’est envoyé.") % {"logins": logins})
            return
        self.admin.log_change(request, customer, _("Identifiants envoyés : %(logins)s.") % {"logins": logins})
        messages.success(
            request, _("Mail d’identifiants écrit dans la boîte d’envoi : %(logins)s.") % {"logins": logins}
        )

    def _back_address(self, customer: Customer) -> str:
        return f"{reverse('admin:customers_customer_change', args=[customer.pk])}#web"

    def _back(self, customer: Customer) -> HttpResponse:
        return redirect(self._back_address(customer))


def _notify_customers_of(account: CustomerAccount) -> None:
    for customer in Customer.objects.filter(accesses__account=account):
        notify_customer_changed(customer)


def _addresses(customer: Customer) -> list[tuple[str, str]]:
    """The addresses that may become logins: the customer's own first, then the contacts'."""
    found = []
    for rules in (ContactRules(), ContactRules(use_contacts=True)):
        recipients = find_recipients_of([customer], rules)[customer.pk].recipients
        found += [(recipient.address, recipient.name) for recipient in recipients]
    return list({address.lower(): (address, name) for address, name in reversed(found)}.values())[::-1]
