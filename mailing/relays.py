"""Mail relays that many companies use: what their customers' SPF records must include. Source: their own help pages."""

# The end of the relay's name → the domain to include.
_SPF_OF_RELAYS = {
    "office365.com": "spf.protection.outlook.com",
    "outlook.com": "spf.protection.outlook.com",
    "gmail.com": "_spf.google.com",
    "googlemail.com": "_spf.google.com",
    "google.com": "_spf.google.com",
    "ovh.net": "mx.ovh.com",
    "ovh.ca": "mx.ovh.ca",
    "gandi.net": "_mailcust.gandi.net",
    "ionos.fr": "_spf-eu.ionos.com",
    "ionos.com": "_spf-eu.ionos.com",
    "infomaniak.com": "spf.infomaniak.ch",
    "brevo.com": "spf.brevo.com",
    "sendinblue.com": "spf.brevo.com",
    "mailjet.com": "spf.mailjet.com",
    "sendgrid.net": "sendgrid.net",
    "amazonaws.com": "amazonses.com",
    "scw-tem.cloud": "_spf.scw-tem.cloud",
    "scaleway.com": "_spf.scw-tem.cloud",
    "zoho.eu": "zohomail.eu",
}


def spf_of_relay(host: str) -> str:
    """What the SPF records of the customers of the relay ``host`` include; "" for one that we do not know."""
    name = host.lower().rstrip(".")
    return next((spf for end, spf in _SPF_OF_RELAYS.items() if name == end or name.endswith(f".{end}")), "")
