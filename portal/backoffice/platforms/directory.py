"""Annuaire: who is reached where, asked by SIREN or SIRET, or by the file of the public directory's site."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from customers.identifiers import check_siren, check_siret
from customers.models import Customer
from invoices.files.csv_tables import Column
from invoices.importing.directory_file import read_directory_file
from invoices.models import Company, DirectoryLookup
from invoices.money import write_count
from invoices.platforms.client import PlatformClient, PlatformError
from invoices.platforms.directory import (
    DirectoryAnswer,
    ask_directory,
    connected_platform,
    customers_of_directory,
    refresh_directory,
)
from portal.backoffice.ui.directory import describe_company_lookup, look_up_chosen
from portal.backoffice.ui.downloads import send_csv
from portal.backoffice.ui.pages import CAN_RUN, CAN_VIEW, add_message, allowed, has_any, render_page
from portal.bodies import accepts_files
from portal.proof import proved_lately

MOST_BYTES = 20_000_000
CARDS_SHOWN = 50
# A person waits for the answer.
ANSWER_SECONDS = 15.0


class NumberForm(forms.Form):
    """Whom the directory is asked for."""

    numero = forms.CharField(
        label=gettext_lazy("SIREN ou SIRET"),
        max_length=30,
        help_text=gettext_lazy("9 ou 14 chiffres, groupés ou non."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Saisissez un SIREN ou un SIRET.")},
    )
    use_required_attribute = False

    def clean_numero(self) -> str:
        """The digits, with their key checked."""
        typed = self.cleaned_data["numero"]
        number, problem = check_siren(typed)
        if len(number) > 9:
            number, problem = check_siret(typed)
        if problem:
            raise forms.ValidationError(problem)
        return number


class DirectoryFileForm(forms.Form):
    """What the public directory's site answered."""

    file = forms.FileField(
        label=gettext_lazy("Fichier rendu par l’annuaire"),
        help_text=gettext_lazy("CSV ou classeur, une adresse par ligne : siren, adresse, siret, code_routage, statut."),
        error_messages={
            "required": gettext_lazy("Choisissez un fichier."),
            "empty": gettext_lazy("Ce fichier est vide."),
        },
    )
    use_required_attribute = False


@allowed(*CAN_VIEW)
@require_GET
def directory(request: HttpRequest) -> HttpResponseBase:
    """The page, with the answer where a number was typed."""
    form = NumberForm(request.GET if "numero" in request.GET else None, label_suffix="")
    platform = connected_platform()
    answer: DirectoryAnswer | None = None
    problem = ""
    if form.is_bound and form.is_valid() and platform is not None:
        try:
            client = PlatformClient(platform, answer_seconds=ANSWER_SECONDS)
            answer = ask_directory(form.cleaned_data["numero"], client)
        except PlatformError as error:
            problem = str(error)
    customers = Customer.objects.filter(siren=answer.siren).order_by("code") if answer else Customer.objects.none()
    counts = [
        (outcome.label, DirectoryLookup.objects.filter(customer__isnull=False, outcome=outcome).count())
        for outcome in DirectoryLookup.Outcome
    ]
    context = {
        "title": _("Annuaire"),
        "form": form,
        "file_form": DirectoryFileForm(label_suffix=""),
        "platform": platform,
        "answer": answer,
        "problem": problem,
        "customers": customers[:CARDS_SHOWN],
        "counts": [(label, count) for label, count in counts if count],
        "companies": [
            (company, describe_company_lookup(company))
            for company in Company.objects.filter(platform__isnull=False).order_by("name")
        ],
        "may_act": has_any(request, CAN_RUN),
        "may_change": request.user.has_perm("customers.change_customer"),
    }
    status = 422 if form.is_bound and form.errors else 200
    return render_page(request, "backoffice/platforms/directory.html", context, status=status)


@allowed("customers.change_customer")
@require_POST
def keep_answer(request: HttpRequest, customer_id: int) -> HttpResponseBase:
    """*Mettre à jour la fiche*: ask for this customer and keep the answer with its date."""
    said, level = look_up_chosen(Customer.objects.filter(pk=customer_id))
    add_message(request, said, level=level)
    return redirect("admin:customers_customer_change", customer_id)


@allowed(*CAN_RUN)
@require_POST
def refresh(request: HttpRequest) -> HttpResponseBase:
    """*Consulter ce qui doit l’être*: customers and companies whose answer is old, some dozens at once."""
    done, problem = refresh_directory(most=CARDS_SHOWN)
    add_message(request, f"{write_count(done, _('client consulté'), _('clients consultés'))}.")
    if problem:
        add_message(request, problem, level=messages.WARNING)
    return redirect("admin:directory")


@allowed(*CAN_VIEW)
@require_GET
@proved_lately
def siren_list(request: HttpRequest) -> HttpResponseBase:
    """The list of SIREN that is deposited on the public directory's site."""
    columns = [Column[str]("siren", lambda siren: siren)]
    numbers = customers_of_directory().order_by("siren").values_list("siren", flat=True).distinct()
    return send_csv(columns, numbers, filename=f"annuaire-siren-{timezone.localdate():%Y-%m-%d}.csv")


@accepts_files(MOST_BYTES)
@allowed(*CAN_RUN)
@require_POST
def read_file(request: HttpRequest) -> HttpResponseBase:
    """*Lire le fichier*: the answer of the public directory's site, kept for each customer that it names."""
    form = DirectoryFileForm(request.POST, request.FILES)
    if not form.is_valid():
        for sentence in form.errors.get("file", []):
            add_message(request, str(sentence), level=messages.WARNING)
        return redirect("admin:directory")
    given = form.cleaned_data["file"]
    done, problems = read_directory_file(given.read(), given.name or "")
    for sentence in problems:
        add_message(request, str(sentence), level=messages.WARNING)
    if done or not problems:
        add_message(request, f"{write_count(done, _('client consulté'), _('clients consultés'))}.")
    return redirect("admin:directory")
