"""The addresses of pages that belong to no model, beside those that Django's admin makes for models."""

from django.contrib import admin
from django.urls import URLPattern, path

from portal.backoffice.exports import bulk, lists, previews, runs, schedules, selections
from portal.backoffice.first_steps import pages as first_steps
from portal.backoffice.mail import failed_addresses as addresses
from portal.backoffice.mail import message_previews as messages
from portal.backoffice.mail.deliverability import deliverability, trial
from portal.backoffice.platforms import directory, follow_up, payments
from portal.backoffice.platforms import pages as einvoices

_ROOT = "export-web/factures/"
_ONE = f"{_ROOT}export/<int:number>/"


def export_urls(site: admin.AdminSite) -> list[URLPattern]:
    """The addresses of the screens under «Export web», for the back-office ``site``."""
    return [
        *_selection_urls(site),
        *_schedule_urls(site),
        *_list_urls(site),
        *_run_urls(site),
        *_platform_urls(site),
        *_directory_urls(site),
        *_life_cycle_urls(site),
    ]


def _selection_urls(site: admin.AdminSite) -> list[URLPattern]:
    wrap = site.admin_view
    return [
        path(_ROOT, wrap(selections.selection), name="export_web"),
        path(f"{_ROOT}compte/", wrap(selections.count), name="export_web_count"),
        path(f"{_ROOT}script/", wrap(selections.script), name="export_web_script"),
        path(
            f"{_ROOT}selections/<int:pk>/supprimer/",
            wrap(selections.delete_selection),
            name="export_web_delete_selection",
        ),
    ]


def _schedule_urls(site: admin.AdminSite) -> list[URLPattern]:
    wrap, root = site.admin_view, f"{_ROOT}calendrier/"
    return [
        path(root, wrap(schedules.schedules), name="export_web_schedules"),
        path(f"{root}<int:pk>/", wrap(schedules.schedule), name="export_web_schedule"),
        path(f"{root}<int:pk>/pause/", wrap(schedules.pause), name="export_web_schedule_pause"),
        path(f"{root}<int:pk>/retirer/", wrap(schedules.remove), name="export_web_schedule_remove"),
    ]


def _list_urls(site: admin.AdminSite) -> list[URLPattern]:
    """The lists to export: ticks, corrections, previews."""
    wrap = site.admin_view
    return [
        path(f"{_ROOT}export/", wrap(lists.exports), name="export_web_exports"),
        path(_ONE, wrap(lists.export_list), name="export_web_list"),
        path(f"{_ONE}lignes.xlsx", wrap(lists.list_xlsx), name="export_web_list_xlsx"),
        path(f"{_ONE}montant/", wrap(lists.sums), name="export_web_sums"),
        path(f"{_ONE}coches/", wrap(lists.tick), name="export_web_tick"),
        path(f"{_ONE}coches/toutes/", wrap(lists.tick_all), name="export_web_tick_all"),
        path(f"{_ONE}tout-corriger/", wrap(bulk.correct), name="export_web_correct_all"),
        path(f"{_ONE}tout-corriger/<uuid:action>/annuler/", wrap(bulk.undo), name="export_web_undo"),
        path(f"{_ONE}adresses/", wrap(bulk.addresses), name="export_web_addresses"),
        path(f"{_ONE}apercu/<int:pk>/", wrap(previews.preview), name="export_web_preview"),
        path(f"{_ONE}apercu/<int:pk>/pdf/", wrap(previews.preview_pdf), name="export_web_preview_pdf"),
        path(
            f"{_ONE}apercu/<int:pk>/mail/<int:position>/", wrap(previews.preview_mail), name="export_web_preview_mail"
        ),
    ]


def _run_urls(site: admin.AdminSite) -> list[URLPattern]:
    """The run of an export and its report."""
    wrap = site.admin_view
    return [
        path(f"{_ONE}essai/", wrap(runs.trial), name="export_web_trial"),
        path(f"{_ONE}exporter/", wrap(runs.start), name="export_web_start"),
        path(f"{_ONE}pause/", wrap(runs.pause), name="export_web_pause"),
        path(f"{_ONE}annuler/", wrap(runs.cancel), name="export_web_cancel"),
        path(f"{_ONE}avancement/", wrap(runs.progress), name="export_web_progress"),
        path(f"{_ONE}relancer/", wrap(runs.retry), name="export_web_retry"),
        path(f"{_ONE}bordereau/", wrap(runs.bordereau), name="export_web_bordereau"),
        path(f"{_ONE}bordereau.csv", wrap(runs.bordereau_csv), name="export_web_bordereau_csv"),
        path(f"{_ONE}bordereau.xlsx", wrap(runs.bordereau_xlsx), name="export_web_bordereau_xlsx"),
        path(f"{_ONE}factures.zip", wrap(runs.published_pdfs), name="export_web_pdfs"),
        path(f"{_ONE}bordereau.pdf", wrap(runs.bordereau_pdf), name="export_web_bordereau_pdf"),
    ]


def _platform_urls(site: admin.AdminSite) -> list[URLPattern]:
    """What goes to an approved platform, as files or by its interface."""
    wrap, root = site.admin_view, f"{_ROOT}plateforme/"
    return [
        path(f"{_ONE}remise/", wrap(einvoices.hand_over), name="export_web_hand_over"),
        path(f"{_ROOT}remise/", wrap(einvoices.hand_over_all), name="export_web_hand_over_all"),
        path(root, wrap(follow_up.follow_up), name="platform_follow_up"),
        path(f"{root}suivi.xlsx", wrap(follow_up.follow_up_xlsx), name="platform_follow_up_xlsx"),
        path(f"{root}remettre/", wrap(follow_up.submit), name="platform_submit"),
        path(f"{root}relever/", wrap(follow_up.fetch), name="platform_fetch"),
        path(f"{root}depot/<int:pk>/", wrap(follow_up.send_again), name="platform_send_again"),
        path(f"{root}encaissements/", wrap(payments.payment_file), name="platform_payments"),
        path(f"{root}encaissements.xlsx", wrap(payments.payments_xlsx), name="platform_payments_xlsx"),
    ]


def _directory_urls(site: admin.AdminSite) -> list[URLPattern]:
    """The directory of who receives e-invoices where."""
    wrap, root = site.admin_view, f"{_ROOT}annuaire/"
    return [
        path(root, wrap(directory.directory), name="directory"),
        path(f"{root}consulter/", wrap(directory.refresh), name="directory_refresh"),
        path(f"{root}fichier/", wrap(directory.read_file), name="directory_file"),
        path(f"{root}siren.csv", wrap(directory.siren_list), name="directory_siren"),
        path(f"{root}client/<int:customer_id>/", wrap(directory.keep_answer), name="directory_keep"),
    ]


def _life_cycle_urls(site: admin.AdminSite) -> list[URLPattern]:
    """What happens to one invoice after it left: its statuses, its payments, its versions."""
    wrap, one = site.admin_view, f"{_ROOT}facture/<uuid:invoice_id>/"
    return [
        path(f"{one}encaissement/", wrap(payments.add_payment), name="invoice_payment"),
        path(f"{_ROOT}statuts/", wrap(einvoices.statuses), name="export_web_statuses"),
        path(f"{one}statut/", wrap(einvoices.add_status), name="invoice_status"),
        path(f"{one}version/", wrap(einvoices.new_version), name="invoice_new_version"),
    ]


def mail_urls(site: admin.AdminSite) -> list[URLPattern]:
    """The addresses of previews, trial mails and the list of wrong addresses, for the back-office ``site``."""
    wrap = site.admin_view
    return [
        path("messages/<int:template_id>/apercu/", wrap(messages.preview), name="message_preview"),
        path("messages/<int:template_id>/essai/", wrap(messages.send_test), name="message_test"),
        path("courrier/delivrabilite/", wrap(deliverability), name="deliverability"),
        path("courrier/delivrabilite/essai/", wrap(trial), name="deliverability_trial"),
        path("courrier/adresses-en-erreur/", wrap(addresses.work_list), name="failed_addresses"),
        path("courrier/adresses-en-erreur.csv", wrap(addresses.work_list_csv), name="failed_addresses_csv"),
        path("courrier/adresses-en-erreur.xlsx", wrap(addresses.work_list_xlsx), name="failed_addresses_xlsx"),
        path("courrier/adresses-en-erreur/corriger/", wrap(addresses.correct), name="failed_addresses_correct"),
        path("courrier/adresses-en-erreur/retirer/", wrap(addresses.forget), name="failed_addresses_forget"),
    ]


def first_steps_urls(site: admin.AdminSite) -> list[URLPattern]:
    """The addresses of the first steps, for the back-office ``site``."""
    wrap, root = site.admin_view, "premiers-pas/"
    return [
        path(root, wrap(first_steps.first_steps), name="first_steps"),
        path(f"{root}expediteur/", wrap(first_steps.mails), name="first_steps_mails"),
        path(f"{root}<slug:key>/", wrap(first_steps.go_to_step), name="first_step"),
        path(f"{root}<slug:key>/passer/", wrap(first_steps.skip), name="first_step_skip"),
    ]
