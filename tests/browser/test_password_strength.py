"""The strength of a password, shown while it is typed: never better than the server judges, and of the same kind."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from customers.models import Account
from tests.support.factories import make_account, make_customer

REFUSED = (
    *("azertyuiop12", "motdepasse2026", "Motdepasse2026!", "M0tD3P4ss3!2026", "bonjour123456"),
    *("portail2026portail", "123456789012", "aaaaaaaaaaaa", "abcdefghijkl", "qwertyuiop123", "1qaz2wsx3edc"),
    *("zaq12wsxcde3", "julie.martin12", "juliemartin2026", "JulieMartin!!", "nitramelluj1", "bonjourbonjour"),
    *("01/02/1984/01", "soleilsoleil1", "password12345", "P@ssw0rd2026", "iloveyou2026!", "marseille13013"),
    *("jetaime12345!", "azerty123456!", "qsdfghjklm12", "wxcvbnwxcvbn", "client.exemple", "client2026!!"),
    *("comptabilite1", "147258369147", "abcabcabcabc", "!@#$%^&*()_+", "doudou123456"),
    *("chouchou2026", "loulou-loulou", "admin1234567", "martin19840203"),
)
TAKEN = (
    "trombone lavande cactus igloo",
    "k8Zp-3qLw2xT9r",
    "vGtR4!mbQz7#pK",
    "girafe-plombier-ouragan-tisane",
    "Hx9$wq2Lm0!zRb",
    "le chat mange douze pommes bleues",
    "xkqjzvwmtrpbhg",
    "Nuage7!Brouette%Kiwi",
)
SHORT = ("aB3$", "kZp3qLw2xT9", "é" * 5)
SAYS = {"short": "Encore", "weak": "Trop facile à deviner", "fair": "Moyen", "strong": "Fort."}


def is_taken(password: str, account: Account) -> bool:
    try:
        validate_password(password, account)
    except ValidationError:
        return False
    return True


def test_the_page_shows_what_the_server_will_say_and_sends_nothing(open_page: Any, sign_in: Any, axe: Any) -> None:
    account = make_account(make_customer(), login="julie.martin@client.example", name="Julie Martin")
    page = open_page(width=390)
    sign_in(page, account)
    page.goto("/compte/mot-de-passe/")
    asked: list[str] = []
    field = page.locator("#id_new_password")
    with page.expect_response("**/password_words*"):
        field.focus()
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(100)

    # It speaks when the typing rests.
    told: dict[str, list[str]] = page.evaluate(
        """async (passwords) => {
          const field = document.querySelector("#id_new_password");
          const holder = document.querySelector(".strength");
          const told = {};
          for (const password of passwords) {
            field.value = password;
            field.dispatchEvent(new Event("input"));
            await new Promise((done) => setTimeout(done, 160));
            told[password] = [holder.dataset.level, holder.innerText.trim()];
          }
          return told;
        }""",
        [*REFUSED, *TAKEN, *SHORT],
    )
    levels = {password: level for password, (level, _words) in told.items()}
    assert [words for level, words in told.values() if not words.startswith(SAYS[level])] == []
    assert asked == []
    taken = {password for password in levels if is_taken(password, account)}
    assert taken == set(TAKEN)
    assert {password: level for password, level in levels.items() if level == "strong"}.keys() <= taken
    assert {password: levels[password] for password in TAKEN if levels[password] != "strong"} == {}
    assert {password: levels[password] for password in REFUSED if levels[password] not in ("weak", "fair")} == {}
    assert {levels[password] for password in SHORT} == {"short"}
    assert axe(page) == []
