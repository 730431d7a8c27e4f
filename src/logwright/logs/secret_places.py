"""Secrets in other places: headers, cookies, addresses, commands, SQL and XML."""

from __future__ import annotations

import re
from collections.abc import Iterator

from logwright.logs.secret_names import kind_of
from logwright.logs.secret_values import (
    DIGIT,
    LETTER,
    LOOK,
    MARK,
    PROSE,
    QUOTE,
    WORDS,
    Span,
    end_of,
    is_secret,
)

__all__ = ["placed"]

_SCHEMES = (
    rb"(?:bearer|basic|digest|token|api-?key|negotiate|ntlm|oauth|hawk|sharedkey(?:lite)?|bot|mac"
    rb"|aws4-hmac-sha256|googlelogin|ssws|geniekey|splunk|apitoken|private-token|key)"
)
_AUTHORIZATION = re.compile(
    rb"(?i)(?<!\[redacted )authorization"
    + QUOTE
    + rb"?\]?\s{0,3}(?:=>|[:=,]|%3A)\s{0,3}[\[(]?(?:[bu](?=[\"']))?"
    + QUOTE
    + rb"?(?:("
    + _SCHEMES
    + rb")(?:\s{1,3}|%20|\+))?"
)
_PAIR = re.compile(
    rb"([\w-]{1,40})=(?:\\?\"([^\"\\]{0,2048})\\?\""
    rb"|(\[redacted [a-z ]{1,20}\]|[^\s,\"'\\=][^\s,\"'\\]{0,2047}))(?:,\s{0,2})?"
)
_PUBLIC = frozenset(
    b"realm uri username algorithm qop nc signedheaders id version charset oauth_version"
    b" oauth_signature_method oauth_timestamp".split()
)
_CREDENTIAL = re.compile(rb"(?!\[redacted )[^\s\"'`,;<>)\]}\\&|]{3,}")
_BEARER = re.compile(rb"(?i)(?<![\w-])bearer(?:[ \t]{1,3}|%20)([\w.~+/=-]{12,})")
_COOKIE = re.compile(
    rb"(?i)(?<![\w-])(?:set-)?cookie2?%s?\s{0,3}(?:=>|[:=,])\s{0,3}[\[(]?%s?" % (QUOTE, QUOTE)
)
_CRUMB = re.compile(rb"([\w.$-]{1,64})=([^;\s\"',\\]*+)(?:;[ \t]?)?")
_ATTRIBUTES = (b"path", b"expires", b"domain", b"max-age", b"samesite")
_SQL = re.compile(
    rb"(?i)\b(?:identified\s(?:with\s[\w']{1,32}\s)?(?:by|as)|(?:with|encrypted|login)\spassword"
    rb"|password\s?\()\s?\\?(['\"])(?!\[redacted )([^'\"\\\n]{1,256})"
)
_LEADER = re.compile(rb"(?<![\w.-])([\w-]{1,64})\.{4,} ?((?!\[redacted )[^\s.][^\s\"',;]*)")
_XML = re.compile(rb"<(?:[\w.-]{1,32}:)?([\w.-]{1,64})(?:\s[^<>]{0,200})?>([^<>]{1,512})</")
_PLACES = {
    b"secret": (
        rb"(?i)\b(?:api|secret|access|account|auth|session|private)[ _-]?(?:key|token) [\"']?"
        rb"((?=[\w-]{0,60}\d)[\w-]{20,})",
        rb"\"AUTH\" (?:\"[^\"]{1,64}\" )?\"([^\"]{1,256})\"",
        rb"\b(?:mysql(?:dump|admin|import|show|check|sh)?|mariadb(?:-\w{1,12})?)\b[^\n|;\[]{0,200}?"
        rb"[\s\"']-p[\"']?(?!\[redacted )([^\s\"']{3,256})",
        rb"\b(?:curl|wget|http)\b[^\n|;\[]{0,300}?[\s\"'](?:-u|-U|--user|--proxy-user)"
        rb"[\"']?(?:,|\sa\d{1,2}=)?[ =]{0,2}[\"']?"
        rb"[^\s:\"'/]{1,64}:(?!\[redacted |\d+(?:\s|$))([^\s\"']{1,256})",
        rb"\b(?:sshpass\b[^\n|;\[]{0,40}?\s-p|redis-cli\b[^\n|;\[]{0,200}?\s-a"
        rb"|(?:docker|podman|nerdctl|skopeo|buildah|registry|az|oc|cf)\slogin\b[^\n|;\[]{0,200}?\s-p"
        rb"|ldap\w{3,10}\b[^\n|;\[]{0,200}?\s-w)\s?[\"']?(?!\[redacted )([^\s\"'-][^\s\"']{1,256})",
    ),
    b"url password": (
        rb"://[^\s/:@\"'<>?#]{0,128}:([^\s/\"'<>?#]+)@",
        rb"://((?=\w{0,60}\d)[A-Za-z0-9_]{20,256})(?=[:@])",
        rb"(?i)%3a%2f%2f[\w.~-]{0,64}%3a([^\s&\"']{1,256}?)%40",
        rb"(?<!\w)[\w.-]{1,64}:([^\s@]{1,128})@(?:tcp|unix)\(",
        rb"(?i)jdbc:oracle:\w{1,8}:[\w$#]{1,64}/([^\s@\"]{1,128})@",
    ),
    b"key": (
        rb"hooks\.slack\.com/(?:services|workflows|triggers)/([\w/-]{20,})",
        rb"discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/\d{15,21}/([\w-]{50,})",
        rb"webhook\.office\.com/webhookb2/[\w@-]{1,90}/IncomingWebhook/([\w/-]+)",
    ),
    b"password hash": (
        rb"(?<![A-Za-z0-9])(\$(?:2[abxy]\$\d\d|[1567y]|argon2\w{1,2}|scrypt|pbkdf2-\w{1,12})\$"
        rb"[\w./$,=+-]{20,})",
    ),
}
_PLACED = tuple((name, re.compile(form)) for name, forms in _PLACES.items() for form in forms)


def placed(text: bytes) -> Iterator[Span]:
    """Values that stand where a secret belongs.

    >>> list(placed(b"GET http://ann:s3cret@db/x"))
    [(15, 21, b'url password')]
    """
    for name, form in _PLACED:
        yield from ((*m.span(1), name) for m in form.finditer(text))
    for m in _SQL.finditer(text):
        if m[2].lower() not in WORDS:
            yield (*m.span(2), b"secret")
    for form in (_XML, _LEADER):
        for m in form.finditer(text):
            kind = kind_of(m[1], b"", b"")
            if kind and not m[2].startswith(MARK) and is_secret(kind, m[2], form is _XML):
                yield (*m.span(2), b"secret")
    for m in _AUTHORIZATION.finditer(text):
        yield from _credentials(text, m.end(), m[1])
    for m in _BEARER.finditer(text):
        if _is_credential(text, m.start(1), m[1], asked=False):
            yield (*m.span(1), b"bearer")
    yield from _crumbs(text)


def _credentials(text: bytes, at: int, scheme: bytes | None) -> Iterator[Span]:
    """What follows `Authorization: scheme`: one credential, or pairs of which some are public."""
    paired = scheme is not None and (pair := _PAIR.match(text, at)) is not None
    while paired and (pair := _PAIR.match(text, at)):
        at = pair.end()
        value = 2 if pair[2] else 3
        if pair[value] and pair[1].lower() not in _PUBLIC and not pair[value].startswith(MARK):
            yield (*pair.span(value), b"authorization")
    one = None if paired else _CREDENTIAL.match(text, at, at + LOOK)
    if one and _is_credential(text, at, one[0], asked=scheme is not None):
        yield at, end_of(_CREDENTIAL, text, *one.span()), b"authorization"


def _is_credential(text: bytes, begin: int, value: bytes, asked: bool) -> bool:
    """Whether a value in place of a credential is one; `asked`: its scheme was named."""
    if value.strip(b".:!?=").lower() in WORDS or PROSE.match(text, begin):
        return False
    if asked:
        return True
    mixed = value.lower() != value and not value.istitle()
    return len(value) >= 12 and (
        bool(DIGIT.search(value)) or mixed or (len(value) >= 16 and value.isalpha())
    )


def _crumbs(text: bytes) -> Iterator[Span]:
    """The values of a cookie header's pairs that may hold a session."""
    at = 0
    while header := _COOKIE.search(text, at):
        at = header.end()
        while pair := _CRUMB.match(text, at):
            at, value = pair.end(), pair[2]
            if pair[1].lower() in _ATTRIBUTES:
                break
            if len(value) >= 16 and DIGIT.search(value) and LETTER.search(value):
                yield (*pair.span(2), b"cookie")
