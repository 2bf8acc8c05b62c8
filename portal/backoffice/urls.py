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


def export_urls(site: admin.AdminSite) -> list[URLPattern]:
    """The addresses of the screens, for the back-office ``site``."""
    wrap = site.admin_view
    root, one = "export-web/factures/", "export-web/factures/export/<int:number>/"
    return [
        path(root, wrap(selections.selection), name="export_web"),
        path(f"{root}compte/", wrap(selections.count), name="export_web_count"),
        path(f"{root}script/", wrap(selections.script), name="export_web_script"),
        path(
            f"{root}selections/<int:pk>/supprimer/",
            wrap(selections.delete_selection),
            name="export_web_delete_selection",
        ),
        path(f"{root}calendrier/", wrap(schedules.schedules), name="export_web_schedules"),
        path(f"{root}calendrier/<int:pk>/", wrap(schedules.schedule), name="export_web_schedule"),
        path(f"{root}calendrier/<int:pk>/pause/", wrap(schedules.pause), name="export_web_schedule_pause"),
        path(f"{root}calendrier/<int:pk>/retirer/", wrap(schedules.remove), name="export_web_schedule_remove"),
        path(f"{root}export/", wrap(lists.exports), name="export_web_exports"),
        path(one, wrap(lists.export_list), name="export_web_list"),
        path(f"{one}montant/", wrap(lists.sums), name="export_web_sums"),
        path(f"{one}coches/", wrap(lists.tick), name="export_web_tick"),
        path(f"{one}coches/toutes/", wrap(lists.tick_all), name="export_web_tick_all"),
        path(f"{one}tout-corriger/", wrap(bulk.correct), name="export_web_correct_all"),
        path(f"{one}tout-corriger/<uuid:action>/annuler/", wrap(bulk.undo), name="export_web_undo"),
        path(f"{one}adresses/", wrap(bulk.addresses), name="export_web_addresses"),
        path(f"{one}apercu/<int:pk>/", wrap(previews.preview), name="export_web_preview"),
        path(f"{one}apercu/<int:pk>/pdf/", wrap(previews.preview_pdf), name="export_web_preview_pdf"),
        path(f"{one}apercu/<int:pk>/mail/<int:position>/", wrap(previews.preview_mail), name="export_web_preview_mail"),
        path(f"{one}essai/", wrap(runs.trial), name="export_web_trial"),
        path(f"{one}exporter/", wrap(runs.start), name="export_web_start"),
        path(f"{one}pause/", wrap(runs.pause), name="export_web_pause"),
        path(f"{one}annuler/", wrap(runs.cancel), name="export_web_cancel"),
        path(f"{one}avancement/", wrap(runs.progress), name="export_web_progress"),
        path(f"{one}relancer/", wrap(runs.retry), name="export_web_retry"),
        path(f"{one}bordereau/", wrap(runs.bordereau), name="export_web_bordereau"),
        path(f"{one}bordereau.csv", wrap(runs.bordereau_csv), name="export_web_bordereau_csv"),
        path(f"{one}bordereau.xlsx", wrap(runs.bordereau_xlsx), name="export_web_bordereau_xlsx"),
        path(f"{one}factures.zip", wrap(runs.published_pdfs), name="export_web_pdfs"),
        path(f"{one}bordereau.pdf", wrap(runs.bordereau_pdf), name="export_web_bordereau_pdf"),
        path(f"{one}remise/", wrap(einvoices.hand_over), name="export_web_hand_over"),
        path(f"{root}remise/", wrap(einvoices.hand_over_all), name="export_web_hand_over_all"),
        path(f"{root}plateforme/", wrap(follow_up.follow_up), name="platform_follow_up"),
        path(f"{root}plateforme/remettre/", wrap(follow_up.submit), name="platform_submit"),
        path(f"{root}plateforme/relever/", wrap(follow_up.fetch), name="platform_fetch"),
        path(f"{root}plateforme/depot/<int:pk>/", wrap(follow_up.send_again), name="platform_send_again"),
        path(f"{root}plateforme/encaissements/", wrap(payments.payment_file), name="platform_payments"),
        path(f"{root}annuaire/", wrap(directory.directory), name="directory"),
        path(f"{root}annuaire/consulter/", wrap(directory.refresh), name="directory_refresh"),
        path(f"{root}annuaire/fichier/", wrap(directory.read_file), name="directory_file"),
        path(f"{root}annuaire/siren.csv", wrap(directory.siren_list), name="directory_siren"),
        path(f"{root}annuaire/client/<int:customer_id>/", wrap(directory.keep_answer), name="directory_keep"),
        path(f"{root}facture/<uuid:invoice_id>/encaissement/", wrap(payments.add_payment), name="invoice_payment"),
        path(f"{root}statuts/", wrap(einvoices.statuses), name="export_web_statuses"),
        path(f"{root}facture/<uuid:invoice_id>/statut/", wrap(einvoices.add_status), name="invoice_status"),
        path(f"{root}facture/<uuid:invoice_id>/version/", wrap(einvoices.new_version), name="invoice_new_version"),
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
