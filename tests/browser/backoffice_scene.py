"""What the browser tests of the back-office look at: a customer with accounts, mails of every kind, an import."""

from dataclasses import dataclass
from importlib import import_module

from django.apps import apps
from django.utils import timezone

from customers.models import Account, BulkAction, Customer
from customers.services import generate_credentials, send_credentials
from invoices.models import ImportBatch
from mailing.composition import save_template
from mailing.failed_addresses import mark_address_failed
from mailing.heartbeats import record_heartbeat
from mailing.models import Message, MessageTemplate
from tests.browser.cast import Scene, set_scene
from tests.support.factories import make_contact, make_customer, make_invoice, make_staff


@dataclass(frozen=True, slots=True)
class BackOfficeScene:
    """The scene of the customers' space, and what staff handle besides."""

    scene: Scene
    staff: Account
    customer: Customer
    account: Account
    template: MessageTemplate
    message: Message
    batch: ImportBatch
    bulk_action: BulkAction

    def addresses(self) -> dict[str, str]:
        """Every page of the back-office that is not the export's, by the name of its picture."""
        customer = f"/gestion/customers/customer/{self.customer.pk}/change/"
        return {
            "tableau-de-bord": "/gestion/",
            "clients": "/gestion/customers/customer/",
            "client-nouveau": "/gestion/customers/customer/add/",
            "fiche-client": customer,
            "fiche-client-contacts": f"{customer}#contacts",
            "fiche-client-edition": f"{customer}#edition",
            "fiche-client-web": f"{customer}#web",
            "fiche-client-factures": f"{customer}#factures",
            "contacts": "/gestion/customers/contact/",
            "contact-nouveau": "/gestion/customers/contact/add/",
            "comptes": "/gestion/customers/customeraccount/",
            "compte": f"/gestion/customers/customeraccount/{self.account.pk}/change/",
            "action-groupee": f"/gestion/customers/bulkaction/{self.bulk_action.pk}/change/",
            "actions-groupees": "/gestion/customers/bulkaction/",
            "importer": "/gestion/invoices/importbatch/add/",
            "imports": "/gestion/invoices/importbatch/",
            "import": f"/gestion/invoices/importbatch/{self.batch.pk}/change/",
            "societes": "/gestion/invoices/company/",
            "societe": f"/gestion/invoices/company/{self.scene.company.pk}/change/",
            "societe-apparence": f"/gestion/invoices/company/{self.scene.company.pk}/change/#apparence",
            "messages": "/gestion/mailing/messagetemplate/",
            "message": f"/gestion/mailing/messagetemplate/{self.template.pk}/change/",
            "message-historique": f"/gestion/mailing/messagetemplate/{self.template.pk}/change/#versions",
            "boite-d-envoi": "/gestion/mailing/message/",
            "mail": f"/gestion/mailing/message/{self.message.pk}/change/",
            "adresses-en-erreur": "/gestion/courrier/adresses-en-erreur/",
            "adresses-refusees": "/gestion/mailing/failedaddress/",
            "utilisateurs": "/gestion/customers/staffaccount/",
            "utilisateur-nouveau": "/gestion/customers/staffaccount/add/",
            "utilisateur": f"/gestion/customers/staffaccount/{self.staff.pk}/change/",
            "droits": "/gestion/auth/group/",
            "historique": "/gestion/admin/logentry/",
            "mot-de-passe-gestion": "/gestion/password_change/",
        }


def set_backoffice_scene() -> BackOfficeScene:
    """Write the scene, with mails in every state."""
    # A test with a server empties every table at its end, also of what migrations wrote.
    import_module("mailing.migrations.0002_predefined_messages").create_messages(apps, None)
    scene = set_scene()
    staff = make_staff(name="Claire Martin")
    customer = make_customer(code="000042", name="Garage Petit SARL", email="garage@petit.example", siren="443061841")
    make_contact(customer, name="Luc Petit", function="Gérant", email="luc@petit.example", is_main=True)
    make_contact(customer, name="Zoé Petit", function="Comptabilité", email="zoe@petit.example")
    account = generate_credentials(customer=customer, address=customer.email).account
    for number in range(3):
        make_invoice(customer=customer, number=f"2600000{number}")
    for number in range(6):
        other = make_customer(code=f"0001{number:02}", name=f"Client de papier {number}", invoice_copies="2")
        send_credentials(accounts=[generate_credentials(customer=other, address=other.email).account])
    make_customer(code="000200", name="Sans adresse", email="")
    send_credentials(accounts=[account])
    states: list[dict[str, object]] = [
        {"state": "accepted", "accepted_at": timezone.now(), "next_attempt_at": None},
        {"state": "rejected", "reason": "550 5.1.1 boîte inconnue", "next_attempt_at": None},
        {"state": "bounced", "reason": "boîte pleine", "next_attempt_at": None},
        {"state": "deferred", "reason": "451 réessayez plus tard"},
    ]
    mails = list(Message.objects.order_by("created_at"))
    for mail, values in zip(mails, states, strict=False):
        Message.objects.filter(pk=mail.pk).update(**values)
    mark_address_failed(mails[1].recipient, "550 5.1.1 boîte inconnue", mails[1].pk, timezone.now())
    save_template(key="invoice", subject="Votre facture #REFFACTURE", body="Bonjour,\n\n#URL_ESPACE", author="Claire")
    record_heartbeat("machine:1", "export")
    record_heartbeat("machine:2", "mail")
    batch = ImportBatch.objects.create(
        author=staff,
        author_name="Claire Martin",
        state=ImportBatch.State.CHECKED,
        files=[{"name": "clients.csv", "storage_name": "imports/none", "size": 1200}],
        report={
            "created": {"customers": 2, "contacts": 0, "invoices": 0, "lines": 0},
            "updated": {"customers": 1, "contacts": 0, "invoices": 0, "lines": 0},
            "unchanged": {"customers": 56, "contacts": 0, "invoices": 0, "lines": 0},
            "rejected": [
                {
                    "file": "contacts.csv",
                    "line": 3,
                    "column": "email",
                    "value": "pas",
                    "reason": "Ce n’est pas un mail.",
                }
            ],
            "rejections": 1,
            "notices": [],
        },
    )
    bulk_action = BulkAction.objects.create(
        kind="create",
        state="done",
        author=staff,
        author_name="Claire Martin",
        targets=[1, 2, 3],
        position=3,
        changed=2,
        mails=2,
        skipped=[["000200 Sans adresse", "aucune adresse e-mail"]],
        finished_at=timezone.now(),
    )
    return BackOfficeScene(
        scene,
        staff,
        customer,
        account,
        MessageTemplate.objects.get(key="invoice"),
        mails[1],
        batch,
        bulk_action,
    )
