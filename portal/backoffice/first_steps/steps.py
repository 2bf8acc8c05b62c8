"""The first steps of an installation: what each is for, where it is done, and the facts that say it is done.

A step is not ticked off: the data says it. A step that is not wanted is skipped, which is the one thing that is stored.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers.models import StaffAccount
from invoices.exporting.trials import has_sent_trial_list
from invoices.models import Company, Document, Export, ImportBatch, ImportMapping, Invoice
from mailing.outbox import has_sent
from portal.models import SkippedStep

_LOOK: Final = ("colour", "pdf_template")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStep:
    """A step: its key (in addresses and in the database), its words, the right that it needs, and its page."""

    key: str
    title: "str | Promise"
    purpose: "str | Promise"
    action: "str | Promise"
    permission: str
    find_page: Callable[[], str]


@dataclass(frozen=True, slots=True)
class StepState:
    """A step as one person sees it: its place, and whether it is done or skipped."""

    step: FirstStep
    number: int
    is_done: bool
    is_skipped: bool

    @property
    def is_open(self) -> bool:
        """True while somebody should do or skip it."""
        return not (self.is_done or self.is_skipped)


@dataclass(frozen=True, slots=True)
class Guide:
    """The steps that one person may do, in their order."""

    states: tuple[StepState, ...]

    @property
    def total(self) -> int:
        """How many steps there are."""
        return len(self.states)

    @property
    def done(self) -> int:
        """How many are done or skipped."""
        return sum(not state.is_open for state in self.states)

    @property
    def next(self) -> StepState | None:
        """The first step that is open, None where all are done or skipped."""
        return next((state for state in self.states if state.is_open), None)

    def find(self, key: str) -> StepState | None:
        """The state of the step ``key``, None where the person does not have it."""
        return next((state for state in self.states if state.step.key == key), None)


def _company_page() -> str:
    company = Company.objects.first()
    if company is None:
        return reverse("admin:invoices_company_add")
    return reverse("admin:invoices_company_change", args=[company.pk])


def _import_page() -> str:
    """The import that waits for its confirmation, else a new one."""
    waiting = ImportBatch.objects.filter(state=ImportBatch.State.CHECKED).order_by("-created_at").first()
    if waiting is None:
        return reverse("admin:invoices_importbatch_add")
    return reverse("admin:invoices_importbatch_change", args=[waiting.pk])


def _list_page() -> str:
    """The list that waits, else the choice of what to export."""
    draft = Export.objects.filter(state=Export.State.DRAFT).order_by("-number").first()
    return reverse("admin:export_web_list", args=[draft.number]) if draft else reverse("admin:export_web")


STEPS: Final = (
    FirstStep(
        key="identite",
        title=_("Identité de la société"),
        purpose=_("Nom, adresse, SIREN, n° de TVA, forme juridique : la loi les veut sur chaque facture."),
        action=_("Remplir l’identité"),
        permission="invoices.change_company",
        find_page=lambda: f"{_company_page()}#identite",
    ),
    FirstStep(
        key="apparence",
        title=_("Apparence de la facture"),
        purpose=_("Modèle, logo et couleur, avec l’aperçu d’une facture. Passez l’étape pour garder ceux d’origine."),
        action=_("Choisir l’apparence"),
        permission="invoices.change_company",
        find_page=lambda: f"{_company_page()}#apparence",
    ),
    FirstStep(
        key="mails",
        title=_("Expéditeur et mail d’essai"),
        purpose=_("Au nom de qui partent les mails ; un essai envoyé à vous-même prouve que le serveur les prend."),
        action=_("Régler et essayer"),
        permission="invoices.change_company",
        find_page=lambda: reverse("admin:first_steps_mails"),
    ),
    FirstStep(
        key="formats",
        title=_("Formats d’import"),
        purpose=_(
            "Donnez les fichiers de votre ERP tels quels : ils sont contrôlés, les colonnes inconnues vous sont "
            "demandées, rien n’est écrit."
        ),
        action=_("Contrôler mes fichiers"),
        permission="invoices.import_invoices",
        find_page=_import_page,
    ),
    FirstStep(
        key="personnel",
        title=_("Personnel"),
        purpose=_("Un compte par personne, avec ses droits. Passez l’étape si vous êtes seul."),
        action=_("Ajouter un utilisateur"),
        permission="customers.add_staffaccount",
        find_page=lambda: reverse("admin:customers_staffaccount_add"),
    ),
    FirstStep(
        key="import",
        title=_("Premier import"),
        purpose=_("Confirmez l’import contrôlé : clients et factures sont écrits, aucun mail ne part."),
        action=_("Importer"),
        permission="invoices.import_invoices",
        find_page=_import_page,
    ),
    FirstStep(
        key="essai",
        title=_("Première liste, pour vous seul"),
        purpose=_(
            "Faites une liste, puis « M’envoyer un essai » : vous recevez les mails que recevraient vos clients ; rien "
            "n’est publié."
        ),
        action=_("Faire une liste"),
        permission="invoices.export_invoices",
        find_page=_list_page,
    ),
    FirstStep(
        key="export",
        title=_("Premier export"),
        purpose=_("Exportez la liste : les factures sont publiées sur l’espace de vos clients, les mails partent."),
        action=_("Exporter"),
        permission="invoices.export_invoices",
        find_page=_list_page,
    ),
)
STEPS_BY_KEY: Final = {step.key: step for step in STEPS}
RIGHTS: Final = tuple(dict.fromkeys(step.permission for step in STEPS))


def read_guide(user: Any) -> Guide | None:
    """The steps that ``user`` may do, as the data is; None where he may do none. About ten small queries."""
    own = [step for step in STEPS if user.has_perm(step.permission)]
    if not own:
        return None
    done = _find_done()
    skipped = set(SkippedStep.objects.values_list("key", flat=True))
    return Guide(
        tuple(
            StepState(step, number, is_done=step.key in done, is_skipped=step.key in skipped)
            for number, step in enumerate(own, start=1)
        )
    )


def skip_step(*, key: str, by: str) -> None:
    """Set the step ``key`` aside for everybody; ``by`` is a person's name."""
    SkippedStep.objects.get_or_create(key=key, defaults={"author_name": by})


def resume_step(*, key: str) -> None:
    """Ask for the step ``key`` again."""
    SkippedStep.objects.filter(key=key).delete()


def _find_done() -> Collection[str]:
    """The keys of the steps that the data shows to be done.

    Where an invoice has been frozen, its look, its files and its list were good enough for it.
    """
    companies = list(Company.objects.all())
    has_exported = Document.objects.exists()
    has_invoices = has_exported or Invoice.objects.exists()
    facts = {
        "identite": bool(companies) and not any(company.missing_identity() for company in companies),
        "apparence": has_exported or any(_has_own_look(company) for company in companies),
        "mails": has_sent(),
        "formats": has_invoices or _is_format_known(),
        "personnel": StaffAccount.objects.filter(is_staff=True, is_active=True)[1:].exists(),
        "import": has_invoices,
        "essai": has_exported or has_sent_trial_list(),
        "export": has_exported,
    }
    return {key for key, is_done in facts.items() if is_done}


def _has_own_look(company: Company) -> bool:
    original = Company()
    return bool(company.logo) or any(getattr(company, name) != getattr(original, name) for name in _LOOK)


def _is_format_known() -> bool:
    """True where columns were assigned, or the files that wait for a confirmation leave none to assign."""
    if ImportMapping.objects.exists():
        return True
    checked = Q(state__in=(ImportBatch.State.CHECKED, ImportBatch.State.IMPORTED))
    reports = ImportBatch.objects.filter(checked).order_by("-created_at").values_list("report", flat=True)
    return any(report.get("created") and not report.get("to_map") for report in reports[:1])
