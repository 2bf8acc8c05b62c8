"""Which device a browser says it runs on, in words its owner recognises."""

from django.utils.translation import gettext as _

# In this order: most browsers also name those they descend from.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
UNKNOWN = "appareil inconnu"


def describe_device(user_agent: str) -> str:
    """«Firefox sur Windows» from a User-Agent header, in French as it is kept; UNKNOWN where it says nothing known."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    return " sur ".join(filter(None, (browser, system))) or UNKNOWN


def device_in_words(kept: str) -> str:
    """What :func:`describe_device` gave, in the language of who reads it."""
    browser, _sur, system = kept.partition(" sur ")
    if browser and system:
        return _("%(browser)s sur %(system)s") % {"browser": browser, "system": system}
    return _("appareil inconnu") if browser in ("", UNKNOWN) else browser
