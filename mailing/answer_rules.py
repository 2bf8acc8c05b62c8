"""The table of what servers' words and codes mean: one row each, with its source.

The first row that is found counts: words come before codes, because servers say «552 5.1.1» of a full mailbox and
«550 5.5.0» of an SPF record; what is about us or about the mail comes before what blames an address. Sources: RFC 3463,
RFC 5248, RFC 7505, the public manuals of the servers named, and the kinds that sisimai and Postfix distinguish.
"""

from dataclasses import dataclass

from mailing.reasons import Reason


@dataclass(frozen=True)
class Rule:
    """One row: ``words`` (a pattern on small letters without accents) or ``codes`` (prefixes) mean ``reason``."""

    reason: Reason
    words: str = ""
    codes: tuple[str, ...] = ()
    source: str = ""


def _tags(*numbers: int) -> str:
    """The tags of Orange and La Poste, OFR_417, OFR004_104, LPN 417: by their last number."""
    either = "|".join(map(str, numbers))
    return rf"\b(?:ofr|lpn|ouk)[ _-]?(?:\d{{3}}[ _-])?(?:{either})\b"


# Fragments of sentences that several rows use. Small letters, no accents.
_NAME = (
    r"(?:user|mailbox|recipient|account|e-?mail address|address|alias|utilisateur|destinataire|adresse|compte"
    r"|boite(?: aux lettres| mail)?|benutzer(?:konto)?|empfaenger|empfanger|postfach|konto|usuario|destinatario|buzon"
    r"|cuenta|casilla|direccion|utente|casella|indirizzo)"
)
_MISSING = (
    r"(?:unknown|not found|(?:does|do|did)(?: not|n.t) exist|non-?existent|no longer (?:exists|valid|active|in use)"
    r"|not exist|is not valid|not known|invalid|has been (?:removed|deleted|closed)|inconnue?s?|inexistante?s?"
    r"|introuvable|invalide|n.existe (?:pas|plus)|non trouvee?|unbekannt|existiert nicht|nicht gefunden|nicht bekannt"
    r"|nicht vorhanden|ungultig|ungueltig|gibt es nicht|desconocid[oa]|no existe|inexistente|no encontrad[oa]"
    r"|no valid[oa]|no es valid[oa]|non e valid[oa]|(?:could|can)(?: ?not|n.t) be found|was(?: not|n.t) found"
    r"|no se (?:ha )?encontr\w+|non e stat[oa] trovat[oa]|nao (?:existe|foi encontrad[oa])|niet gevonden|bestaat niet"
    r"|invalid[oa]|sconosciut[oa]|non esiste|non trovat[oa]|non valid[oa]|inesistente)"
)
_CLOSED = (
    r"(?:disabled|deactivated|inactive|suspended|closed|discontinued|archived|desactivee?|archivee?|fermee?|cloturee?"
    r"|supprimee?|suspendue?|deaktiviert|geschlossen|geloscht|geloescht|desactivad[oa]|deshabilitad[oa]|cerrad[oa]"
    r"|disattivat[oa]|disabilitat[oa]|chius[oa])"
)
_OUR_SIDE = (
    r"(?:sender|mail from|from[- ](?:address|domain|header)|reply-?to|return[- ]?path|emetteur|expediteur"
    r"|absender|remitente|mittente|(?:domaine|adresse) d.(?:envoi|expedition)|adresse de retour)"
)
# To the end of a sentence at most; the dot within a name of a server ends none.
_SAME = r"(?:[^.;]|\.(?=\w))"
# A code that says by itself that the address is bad.
_PROOF = r"\b5\.(?:1\.(?:[1236]|10)|2\.1)\b"
# Words that turn «unknown», «invalid» or «closed» against us.
_US = (
    r"(?:\bmail from\b|\bfrom header|(?<!to )(?<!to the )\bsend(?:er|ing)\b|emetteur|expediteur|d.expedition|d.envoi"
    r"|adresse de retour|absender|remitente|mittente|compte smtp|smtp account|password|mot de passe|passwort|kennwort"
    r"|contrasena|\b(?:your|votre|ihre?|su|tu|suo|vostro|tuo) (?:e-?mail |mail )?(?:domain\w*|domane|dominio|servers?"
    r"|serveur|servidor|account|compte|konto|cuenta|host\w*|name|nom|adresse|address|direccion|indirizzo))"
)

# What else may be unknown, invalid or closed in a sentence that names the recipient too.
_THING = (
    r"(?:certifica[td]\w*|zertifikat\w*|s/mime|signature|signatur|firma|\burls?\b|\bliens?\b|\blinks?\b|hyperlink"
    r"|enlace"
    r"|collegamento|attachments?|pieces? jointes?|anhang|dateityp|adjunt[oa]s?|allegat[oi]|file ?types?|fichiers?"
    r"|(?<!from )\bheaders?\b|en-tetes?|kopfzeile|\bcharset|encoding|content[- ]type|protocols?|protocole|polic(?:y"
    r"|ies)"
    r"|politique|richtlinie|politica|\brules?\b|\bregles?\b|external|extern[ei]s?\b|exterieurs?|members?\b|membres?\b"
    r"|\bgroups?\b|groupes?\b|\bkeys?\b|\bcle\b|schlussel|\bpgp\b|\bclave\b|chiave|\blimits?\b|limites?\b|inbounds?"
    r"|outbounds?|licen[cs]e)"
)

RULES: tuple[Rule, ...] = (
    # ─── Tags of providers ───────────────────────────────────────────────────────────────────────────────────────────
    Rule(Reason.UNKNOWN, _tags(416), source="sisimai/p5-sisimai#240"),
    Rule(Reason.FULL, _tags(417, 422), source="sisimai/p5-sisimai#240"),
    Rule(Reason.DISABLED, _tags(420, 426), source="sisimai/p5-sisimai#241"),
    Rule(Reason.SENDER, _tags(405, 415), source="sisimai/p5-sisimai#240"),
    Rule(Reason.IDENTITY, _tags(401, 403), source="sisimai/p5-sisimai#241"),
    Rule(Reason.LOGIN, _tags(305, 402), source="sisimai/p5-sisimai#243"),
    Rule(Reason.BLOCKLIST, _tags(102, 103, 999), source="sisimai/p5-sisimai#243, #353"),
    Rule(Reason.PACE, _tags(104, 105), source="sisimai/p5-sisimai#243"),
    Rule(Reason.SIZE, _tags(514), source="sisimai/p5-sisimai#240"),
    Rule(Reason.CONTENT, _tags(501, 506, 513), source="sisimai/p5-sisimai#240"),
    Rule(Reason.TEMPORARY, _tags(109, 201, 302, 424, 505, 510), source="sisimai/p5-sisimai#241, #353"),
    Rule(Reason.REPUTATION, r"as\(42004\)|bad outbound sender|outboundspam", source="Microsoft 365, outbound spam"),
    Rule(Reason.REPUTATION, r"\b5\.7\.(?:50[1-3]|70[0-8]|750)\b", source="Microsoft 365, NDR codes 5.7.50x, 5.7.70x"),
    Rule(Reason.BLOCKLIST, r"\b5\.7\.(?:511|60[6-9]|6[1-4]\d)\b", source="Microsoft 365, banned IP and sender"),
    Rule(Reason.IDENTITY, r"\b5\.7\.(?:509|515)\b", source="Microsoft 365, DMARC"),
    Rule(Reason.RELAY, r"\b5\.7\.64\b|tenantattribution", source="Microsoft 365, relay"),
    Rule(Reason.SENDER, r"\b5\.1\.[78]\b", source="RFC 3463 x.1.7 and x.1.8, whatever the words"),
    Rule(Reason.SENDER, r"sender[^.;]{0,30}null mx|\b[45]\.7\.27\b", source="RFC 7505"),
    Rule(Reason.LOGIN, r"\b5\.7\.(?:57|139)\b|smtpclientauthentication is disabled", source="Microsoft 365, SMTP AUTH"),
    Rule(Reason.SENDER, r"\b5\.7\.60\b|sendasdenied|send as this sender", source="Microsoft 365, send as"),
    Rule(Reason.QUOTA, r"\b5\.1\.90\b|\b5\.7\.23[23]\b|submission ?quota", source="Microsoft 365, sending limits"),
    Rule(
        Reason.POLICY,
        r"restrictedrecipient|resolver\.rst|sendernotauthenticatedfor|\b5\.7\.1(?:24|29|3[3-6])\b",
        source="Microsoft 365, recipients that take mail of a few senders only",
    ),
    Rule(Reason.OTHER, r"resolver\.adr\.(?!\w*notfound)", source="Exchange, a directory that is not in order"),
    Rule(
        Reason.REPUTATION,
        r"\bip=\S+ - |a problem occurred\. \(ask your postmaster",
        source="T-Online, postmaster.t-online.de: the address of our server is refused",
    ),
    Rule(
        Reason.TEMPORARY,
        r"(?:server|destination mail server.s) certificate (?:not (?:trusted|verified)|is expired|is invalid)"
        r"|certificate-expired|\bdane\b|\btlsa\b|\bdnssec\b|starttls-not-supported"
        r"|tls is required, but was not offered",
        source="Postfix smtp_tls_security_level, Microsoft 365 5.7.32x: the encryption of the recipient's server",
    ),
    # ─── Our own server: its name, its domain, its access ────────────────────────────────────────────────────────────
    Rule(
        Reason.LOGIN,
        r"authentication (?:is )?(?:required|failed|unsuccessful|needed|credentials invalid)|must authenticate"
        r"|username and password not accepted|application-specific password|requires? auth|auth(?:entication)? required"
        r"|failed to authenticate"
        r"|not (?:been )?authenticated|must issue a starttls|(?:bad|invalid) (?:login|credentials|password)"
        r"|authentification (?:smtp )?(?:requise|necessaire|echouee|invalide)|echec d.authentification"
        r"|authentifizierung (?:erforderlich|fehlgeschlagen)|autenticacion (?:requerida|fallida)"
        r"|autenticazione (?:richiesta|fallita)",
        source="RFC 4954, Gmail, Postfix",
    ),
    Rule(
        Reason.LOGIN, r"non authentifiee?|nicht authentifiziert|no autenticad[oa]|non autenticat[oa]", source="RFC 4954"
    ),
    Rule(
        Reason.HELO,
        r"\b(?:helo|ehlo)\b|cannot find your (?:hostname|reverse)|(?:reverse (?:dns|hostname|lookup)|\bptr\b|\brdns\b)"
        r"|client host rejected: cannot|fix reverse|no resolvable (?:host|name)|dns inverse|iprev"
        r"|fcrdns|need fully-qualified hostname|does not have a (?:valid )?(?:ptr|reverse)",
        source="Postfix reject_*_helo_hostname and reject_unknown_client_hostname; Gmail 5.7.25",
    ),
    Rule(
        Reason.IDENTITY,
        r"\bspf\b|\bdkim\b|\bdmarc\b|sender policy framework|unauthenticated (?:e-?)?mail|sender id"
        r"|not permitted to send (?:mail|e-?mail)? ?(?:from|for|on behalf)|domain.s (?:dmarc|authentication)"
        r"|not allowed to send (?:mail|e-?mail) (?:from|for)",
        source="RFC 7372, Gmail 5.7.26, Free, La Poste",
    ),
    Rule(
        Reason.RELAY,
        r"relay(?:ing)? (?:access )?(?:is )?(?:denied|not (?:permitted|allowed)|disallowed|prohibited|refused"
        r"|restricted)"
        r"|(?:unable|not permitted|not allowed|not authori[sz]ed|refus\w+|cannot|denied|attempt\w*) (?:to )?relay"
        r"|(?:do not|don.t|no|not) relay|open relay|relais (?:refuse|interdit|non autorise)|relayage"
        r"|isn.t in my list of allowed rcpthosts|not a gateway|relay[- ]?verbot|weiterleitung (?:verboten"
        r"|nicht erlaubt)"
        r"|mail server requires authentication when attempting|\buse (?:me|us|this server)\b.{0,60}\bas an? relay",
        source="Postfix reject_unauth_destination, Exim, qmail, Exchange",
    ),
    Rule(
        Reason.BLOCKLIST,
        r"spamhaus|\bsbl\b|\bxbl\b|\bpbl\b|\bzen\.|barracuda(?:central)?|spamcop|\bsorbs\b|\buceprotect|\brbl\b|\bdnsbl\b"
        r"|block ?list|black ?list|liste? noire|schwarze liste|lista n[ei]gra|lista nera|abuseat"
        r"|proofpoint.*(?:blocked|pdr)|blocked.{0,40}proofpoint"
        r"|(?:client host|host|\bip\b|server|address \[[0-9a-f.:-]+\]"
        r"|client \[[^]]*\])[^.;]{0,60}(?:is )?(?:blocked|banned"
        r"|listed|refused because of)|blocked[^.;]{0,20}\b(?:ip|using)\b|adresse ip[^.;]{0,40}(?:bloquee"
        r"|refusee|interdite)"
        r"|\bip (?:address )?you.re using to send mail is not authori[sz]ed"
        r"|client host rejected: access denied|dynamic (?:ip|address)|part of their network is on our block"
        r"|cloudmark sender intelligence|banned sending ip",
        source="Postfix reject_rbl_client, Spamhaus, Outlook S3140/S3150, Proofpoint",
    ),
    Rule(
        Reason.QUOTA,
        r"(?:daily|hourly|sending|mail send|outgoing|outbound|envoi|d.envoi|journalier|quotidien|horaire|versand"
        r"|envio|invio)"
        r"[^.;]{0,30}(?:limit|quota|rate|maximum)|(?:limit\w*|quota)[^.;]{0,30}(?:d.envoi|envois|sending"
        r"|per (?:day|hour)"
        r"|par (?:jour|heure)|journali|quotidien|horaire|emails sent)|(?:too many|exceeded)[^.;]{0,40}per (?:day|hour)"
        r"|reached (?:a|the|your) limit|you have exceeded|trop de (?:mails|messages|courriels) envoyes"
        r"|recipients? (?:rate|limit) (?:limit )?exceeded",
        source="Gmail 5.4.5, Microsoft 5.1.90, OVH, IONOS, Gandi",
    ),
    Rule(
        Reason.REPUTATION,
        r"(?:too many|excessive|rate of|high (?:number|rate) of|trop d.?|zu viele|demasiad[oa]s|tropp[ie])"
        r" ?(?:errors|erreurs|fehler|(?:invalid|unknown|bad|non-?existent|failed|rejected|ungultige|ungueltige"
        r"|unbekannte) "
        r"(?:recipient|user|address|rcpt|empfang|empfaeng|adress|benutzer)|(?:destinataires?|adresses|utilisateurs"
        r"|destinatarios|usuarios|direcciones|destinatari|utenti|indirizzi) (?:inconnu|invalid|inexist|desconocid"
        r"|sconosciut|non valid))"
        r"|(?:recipients?|rcpt) (?:error )?rate too high|directory harvest|dictionary attack",
        source="Postfix smtpd_hard_error_limit, Exchange and Sendmail against the guessing of addresses",
    ),
    Rule(
        Reason.SENDER,
        rf"(?:account|mailbox|address|domain|compte|boite|adresse|konto|postfach|domane|domaene|cuenta|buzon|direccion"
        rf"|dominio|casella|indirizzo) (?:of |de |del |della |dell.|des |du |vom |di )?(?:the |l.|la |el |il |le )?"
        rf"{_OUR_SIDE}"
        rf"[^.;]{{0,40}}?(?:{_MISSING}|{_CLOSED}|gesperrt|bloque|blocked|bloccat|sospes|suspendid|interdit)"
        rf"|{_OUR_SIDE}[^.;,]{{0,30}}?(?:{_CLOSED}|gesperrt|bloque|bloccat|sospes|suspendid)"
        rf"|\b(?:your|votre|ihr|su|tu|suo|vostro|tuo) (?:e-?mail )?(?:account|compte|konto|cuenta|utenza)[^.;]{{0,30}}?"
        rf"(?:{_MISSING}|{_CLOSED}|gesperrt|bloque|blocked|bloccat|sospes|suspendid)"
        rf"|(?:disabled|suspended|blocked|desactivee?|suspendue?|gesperrt) (?:for|from|pour|fur|fuer) "
        rf"(?:sending|l.envoi|outbound|den versand)",
        source="Microsoft 365, OVH, IONOS, Infomaniak: an account of ours that may not send",
    ),
    Rule(
        Reason.HELO,
        rf"(?:unknown host|host unknown|hostname) ?:? ?\[?0-0-0-0|\b(?:your|votre|ihre?n?|su|tu|suo|vostro|tuo) "
        rf"(?:host ?name|host|server|serveur|servidor)[^.;]{{0,30}}?(?:{_MISSING}|does not resolve)"
        rf"|unknown (?:client|server)|(?:invalid|unknown) ip address|\bip\b[^.;]{{0,30}}{_MISSING}"
        rf"|\bdns (?:inconnu|introuvable|unknown)",
        source="Postfix, Exim: the name of the client",
    ),
    Rule(
        Reason.SENDER,
        rf"\b(?:your|votre|ihre?|su|tu|suo|vostro|tuo) (?:domain|domaine|dominio|domane|domaene)\b[^.;]{{0,30}}?"
        rf"{_MISSING}",
        source="words of small servers about the domain of the sender",
    ),
    Rule(
        Reason.POLICY,
        r"(?:allowed|approved|authori[sz]ed|known|safe) senders?(?: list)?|white ?list|allow ?list|liste blanche"
        r"|expediteurs? autorises?|lista blanca|lista bianca|erlaubte absender|liste? (?:of |d.)(?:senders|expediteurs)"
        r"|(?:no acepta|(?:does not|doesn.t|do not) accept|n.accepte pas|non accetta|nimmt (?:nur|keine))\b[^.;]{0,40}"
        r"\b(?:from|d[ae]|d.un|des|dei|di|von)\b",
        source="Exchange, Mailinblack, Barracuda: recipients that take mail of a few senders only",
    ),
    Rule(
        Reason.SENDER,
        rf"{_OUR_SIDE}(?:'?s)?(?: (?:e-?mail|mailbox|address|domain|adresse|name))*[^.;,]{{0,40}}?"
        rf"(?:rejected|denied|not (?:owned|allowed|permitted|accepted|authori[sz]ed|exist|found|valid)|unknown"
        rf"|invalid|bad"
        rf"|refusee?|interdite?|non autorisee?|must (?:be|exist|resolve)|does(?: not|n.t) (?:exist|resolve)"
        rf"|verif|blocked"
        rf"|{_MISSING})|(?:bad|invalid|unknown|unauthori[sz]ed|mauvais|ungultiger|ungueltiger|unbekannter)"
        rf"(?: \w+(?: in| of| for)?(?: the)?)? {_OUR_SIDE}|not owned by user"
        rf"|(?:domain|adresse) (?:of|de l.) ?{_OUR_SIDE}|not allowed to send as"
        rf"|envelope from|(?:\bmx\b|domaine?|dominio)[^.;,]{{0,20}}\b(?:in|of|for|from|de l.|de|del"
        rf"|dell.|des|von)? ?(?:the )?{_OUR_SIDE}|callback setup failed",
        source="Postfix reject_sender_login_mismatch and reject_unknown_sender_domain, Exim sender verify, OVH",
    ),
    Rule(
        Reason.REPUTATION,
        r"reputation|(?:account|mailbox)[^.;]{0,20}(?:suspended|disabled|locked)[^.;]{0,20}(?:spam|abuse)"
        r"|user complaints|too many spams|\bts0[1-9]\b|suspicious (?:activity|sending)|compromised"
        r"|too much spam"
        r"|sending (?:spam|unsolicited)|spam (?:source|sender)|originating from your (?:ip|domain|netblock)"
        r"|detected that this message is suspicious due to|client host blocked",
        source="Gmail 5.7.1 and 4.7.28, Yahoo TS, SFR",
    ),
    # ─── The mail, the mailbox, the way there ────────────────────────────────────────────────────────────────────────
    Rule(
        Reason.LOOP,
        r"too many hops|hop ?count|mail loop|loops? back to|mail ?loop|routing loop|loop detected|boucle"
        r"|schleife|bucle",
        source="Postfix, Exchange 5.4.14",
    ),
    Rule(
        Reason.GREYLISTED,
        r"gr[ae]y ?-?list|liste grise|postgrey|first time.{0,20}sender.{0,20}retry|come back later|retry in \d+ sec",
        source="postgrey, rspamd",
    ),
    Rule(
        Reason.PACE,
        r"too many (?:connections|concurrent|(?:recent )?messages|sessions|recipients|mails|emails)|slow(?:ing)? down"
        r"|rate ?limit"
        r"|throttl|trop de connexions|receiving (?:mail|messages?) (?:at a rate|too (?:quickly|fast))"
        r"|too (?:fast|quickly|frequent)|concurrent connections|excessive volume|frequency limited"
        r"|exceeded (?:the|their|its) limit for the number of messages|\b5\.2\.12[12]\b"
        r"|per[- ]hour (?:message )?receive limit"
        r"|zu viele (?:verbindungen|nachrichten)|demasiad[oa]s (?:conexiones|mensajes)|troppe connessioni",
        source="Postfix anvil, Gmail 4.2.1, Orange",
    ),
    Rule(
        Reason.SIZE,
        r"\b(?:message|mail|size|content)\b[^.;]{0,30}(?:exceeds?|exceeded|too (?:big|large|long))|too (?:big"
        r"|large) (?:message|mail)"
        r"|(?:size|length)[^.;]{0,20}(?:limit|maximum)|maximum (?:message )?size|trop (?:gros|volumineux|lourd|grand)"
        r"|taille (?:limite|max)|depasse la taille|zu gro(?:ss|ß)|demasiado grande|troppo grande",
        source="RFC 1870, RFC 3463 x.3.4 and x.2.3",
    ),
    Rule(Reason.TEMPORARY, r"insufficient system (?:storage|resources)|queue file write", source="Postfix, disk"),
    Rule(
        Reason.FULL,
        r"over ?-?quota|quota|mail ?box[^.;]{0,40}(?:\bfull\b|exceeded|over)|inbox[^.;]{0,20}full"
        r"|(?:mailbox|account|user)[^.;]{0,30}(?:out of|no more|insufficient) (?:storage|space)|out of storage"
        r"|storage (?:space|allocation)?[^.;]{0,20}(?:exceeded|full)|exceeded storage allocation"
        r"|not enough (?:storage|space)"
        r"|boite[^.;]{0,60}(?:pleine|saturee)|postfach[^.;]{0,40}voll|speicher\w*[^.;]{0,30}(?:voll"
        r"|uberschritten|erschopft)"
        r"|mailbox[^.;]{0,20}voll|(?:buzon|casilla|cuenta)[^.;]{0,40}llen[oa]|cuota|cas(?:ella|setta)[^.;]{0,40}piena"
        r"|spazio esaurito",
        source="RFC 3463 x.2.2; words of Exim, Zimbra, Dovecot, Orange, Free",
    ),
    Rule(
        Reason.TEMPORARY,
        r"temporar(?:y|il)|maintenance|wartung|mantenimiento|manutenzione|try(?:ing)? again later|try later"
        r"|(?:re)?essayer? plus tard|vorubergehend|voruebergehend"
        r"|spater (?:erneut|noch)|temporalmente|mas tarde|temporaneamente|piu tardi|timed? ?out"
        r"|delivery (?:time )?expired"
        r"|retry (?:time|timeout)|connection (?:refused|reset|lost)|no route to host|network is unreachable"
        r"|service (?:currently )?unavailable, try|try again|envelope expired"
        r"|(?:malformed|unexpected)[^.;]{0,30} name server reply|servfail|config(?:uration)? error",
        source="RFC 5321 § 4.2; Postfix and Exim, giving up",
    ),
    Rule(
        Reason.CONTENT,
        rf"\b5\.6\.\d\b|^(?!.*\b5\.1\.(?:1|10)\b)(?:.*{_THING}(?:[^.]|\.(?=\w)){{0,60}}?(?:{_MISSING}|{_CLOSED})"
        rf"|.*(?:{_MISSING}|{_CLOSED}){_SAME}{{0,40}}?{_THING})",
        source="words of filters: something in the mail, or a rule of the recipient, is not in order; he exists",
    ),
    Rule(
        Reason.SENDER,
        rf"^(?!.*{_PROOF})(?:.*{_US}{_SAME}{{0,60}}?(?:{_MISSING}|{_CLOSED})"
        rf"|.*(?:{_MISSING}|{_CLOSED}|no mx|no such|not a (?:known|valid)){_SAME}{{0,60}}?{_US}"
        rf"|.*{_US}{_SAME}{{0,30}}?(?:no mx|no such|not a (?:known|valid)))",
        source="words of small servers about our account, our address or our domain",
    ),
    # ─── The address ─────────────────────────────────────────────────────────────────────────────────────────────────
    Rule(
        Reason.NO_MAIL_DOMAIN,
        r"null ?mx|domain[^.;]{0,20} does(?: not|n.t) accept (?:e-?)?mail|host or domain name not found|(?:host"
        r"|domain)(?: name)? (?:not"
        r" found|unknown|does(?: not|n.t) exist)|unknown (?:host|domain)|name service error|no mx record"
        r"|\bdns domain \S+ does not exist|(?:mx|srv) record indicated no smtp service"
        r"|no such (?:host|domain)|nxdomain|bad destination (?:system|mailbox system)|domaine (?:inconnu"
        r"|inexistant|introuvable)"
        r"|unbekannte domain|dominio (?:desconocido|inexistente|no existe|sconosciuto)",
        source="RFC 7505, RFC 3463 x.1.2, Postfix, Exim",
    ),
    Rule(
        Reason.UNKNOWN,
        rf"\b(?:unknown|invalid|non-?existent|no such)[ -](?:local[ -]?)?(?:part|person|{_NAME})|user[- ]unknown"
        rf"|nosuchuser|not listed in (?:the )?(?:domino|public|name|directory|address)"
        rf"|recipientnotfound|recipnotfound|resolver\.adr\.\w*notfound|no (?:mailbox|user|account)[^.;]{{0,20}}(?:here"
        rf"|by that name|found)"
        rf"|not a (?:known|valid) (?:user|mailbox|recipient)|(?<!relayed to ){_NAME}\b[^.;:]{{0,40}}?\b{_MISSING}"
        rf"|adresse introuvable|unbekannte[rs]? (?:benutzer|empfanger|empfaenger|adresse|mailbox)"
        rf"|aucun (?:utilisateur|compte)"
        rf"|kein(?:e|en)? (?:solche[rns]* )?(?:benutzer|postfach|mailbox|empfanger|empfaenger)|no (?:existe|se"
        rf" (?:ha )?encontr\w+) (?:el |la )?{_NAME}"
        rf"|no (?:hay|tenemos) [^.;]{{0,20}}{_NAME}|nessun(?:a)? (?:utente|casella)|s2017062302"
        rf"|user doesn.t have an? [^ ]+ account|\bdd @ is no longer valid",
        source="Postfix, Exim, qmail, Exchange, Gmail; French, German, Spanish and Italian servers",
    ),
    Rule(
        Reason.UNKNOWN,
        r"5\.4\.1\b.{0,20}recipient address(?:es)? rejected ?: access denied"
        r"|recipient address rejected: access denied[^a-z]*as\(2018",
        source="Exchange Online, directory based edge blocking",
    ),
    Rule(
        Reason.DISABLED,
        rf"{_NAME}\b[^.;:]{{0,40}}?\b{_CLOSED}\b|{_NAME} (?:no longer accepts|n.accepte plus)(?: de"
        rf"| any)? (?:e-?)?mails?(?! from)"
        rf"|\b(?:disabled|inactive|suspended) (?:user|mailbox|recipient|account)",
        source="RFC 3463 x.2.1",
    ),
    # ─── Codes, those of an address last: what the words say of spam or of the sender is stronger ─────────────────────
    Rule(
        Reason.POLICY,
        r"policy reasons|local policy|polic(?:y|ies) (?:restrictions?|errors?|rejection)",
        source="Yahoo, iCloud, GMX",
    ),
    Rule(Reason.FULL, codes=("2.2",), source="RFC 3463"),
    Rule(Reason.SIZE, codes=("2.3", "3.4"), source="RFC 3463"),
    Rule(Reason.QUOTA, codes=("4.5",), source="Gmail"),
    Rule(Reason.LOOP, codes=("4.6", "4.14"), source="RFC 3463, Exchange"),
    Rule(Reason.PACE, codes=("7.28",), source="Gmail"),
    Rule(Reason.HELO, codes=("7.25",), source="RFC 7372"),
    Rule(Reason.IDENTITY, codes=("7.20", "7.21", "7.22", "7.23", "7.24", "7.26"), source="RFC 7372"),
    Rule(Reason.LOGIN, codes=("7.8", "7.9", "7.11"), source="RFC 4954"),
    Rule(
        Reason.CONTENT,
        r"\bspam\b|unsolicited|junk|virus|malware|phish|indesirable|message (?:content )?rejected|mail rejete|bulk mail"
        r"|content (?:rejected|refused|not allowed)|attachment|piece jointe|bloque par",
        source="SpamAssassin, rspamd, SFR, Free",
    ),
    Rule(Reason.SENDER, codes=("1.7", "1.8"), source="RFC 3463"),
    Rule(Reason.POLICY, rf"{_PROOF}.*{_US}", source="codes of an address with words about its sender prove nothing"),
    Rule(Reason.UNKNOWN, codes=("1.1", "1.3", "1.6"), source="RFC 3463"),
    Rule(Reason.NO_MAIL_DOMAIN, codes=("1.2", "1.10"), source="RFC 3463, RFC 7505"),
    Rule(Reason.DISABLED, codes=("2.1",), source="RFC 3463"),
    Rule(Reason.TEMPORARY, codes=("4.",), source="RFC 3463, network"),
    Rule(Reason.POLICY, codes=("6.", "7."), source="RFC 3463"),
)
