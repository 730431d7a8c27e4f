"""Redaction of well-known secret forms in text that is kept or shown (contract 11).

Lines that stay in a model, a report or a finding go through `redact`; scoring and shapes see the
lines as they are. Four things are looked for, each behind a cheap check that most lines end at:
tokens that their prefix tells, values that their place tells (`password=`, `Authorization:`,
`://user:...@`, `mysql -p...`), private keys, and card numbers. Every place is found in the line as
it came, then all are replaced together, so that the order of forms does not matter.

Input is hostile: every expression takes time linear in the line. A repetition without bound begins
where its run begins, or nothing that can fail comes after it.

Left out: secrets in no such form (leave example lines out with `--no-exemplars`), names in other
languages, IBANs, and keys whose lines come as records of their own behind `-----BEGIN`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

__all__ = ["redact"]

_MARK = b"[redacted "
_PASSES = 4
"""What is hidden may free what abuts it: lines that hold secrets are looked at again."""

Span = tuple[int, int, bytes]
"""Where a secret begins and ends, and what it is called."""

# --- Tokens that their prefix tells ---

_TOKEN = re.compile(
    rb"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2}))(?:"
    + rb"|".join(
        (
            rb"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])",
            rb"[\w~.-]{3}\dQ~[\w~.-]{31,34}",  # Azure
            rb"AIza[\w-]{35}|ya29\.[\w-]{20,}|1//0[\w-]{25,}|GOCSPX-[\w-]{20,}",
            rb"gh[oprsu]_\w{30,}(?:\.[\w-]{8,}){0,2}|github_pat_\w{30,}",
            rb"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat|ffct|wt)-[\w-]{20,}(?:\.\w+){0,2}",
            rb"GR1348941[\w-]{20}|ATBB[\w=]{28,}|AT[AC]TT3[\w=-]{60,}",
            rb"xox[abceoprs]-[\w-]{10,}|xoxe\.xox[bp]-[\w-]{10,}|xapp-\d-[\w-]{20,}",
            rb"(?<=\d{8}:)AA[\w-]{33}(?![\w-])",  # Telegram
            rb"SK[0-9a-f]{32}(?!\w)|SG\.[\w-]{16,32}\.[\w-]{16,64}|xkeysib-[\w-]{60,}",
            rb"(?<!-)key-[0-9a-z]{32}(?!\w)|[0-9a-f]{32}-us\d{1,2}(?!\w)",  # Mailgun, Mailchimp
            rb"[rs]k_(?:live|test)_\w{10,}|whsec_[\w+/=-]{20,}|EZ[AT]K\w{50,}",
            rb"EAAA[\w-]{56,}|sq0(?:atp|csp)-[\w-]{20,}|shp(?:at|ca|pa|ss|ua)_[0-9a-fA-F]{32}",
            rb"access_token\$(?:production|sandbox)\$\w{8,32}\$[0-9a-f]{32}",  # Braintree
            rb"npm_\w{36}|pypi-[\w-]{50,}|rubygems_[0-9a-f]{48}|dckr_[op]at_[\w-]{20,}",
            rb"oy2[a-z0-9]{43}(?!\w)|AKCp\w{60,}|cmVmdGtuOj\w{40,}",  # NuGet, Artifactory
            rb"hv[bsr]\.[\w-]{24,}|(?<![\w.-])s\.(?=[a-z]*[A-Z0-9])(?=\D{0,23}\d)\w{24}(?![\w.])",
            rb"[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{40,}|pul-[0-9a-f]{40}|HRKU-[\w-]{36,}",
            rb"dapi[0-9a-f]{32}(?:-\d)?|do[opr]_v1_[0-9a-f]{64}|tskey-\w{2,12}-[\w-]{16,}",
            rb"lin_(?:api|oauth)_\w{32,}|secret_\w{43}(?!\w)|ntn_\w{40,}|figd_[\w-]{36,}",
            rb"gl(?:sa|c)_[\w+/=]{30,}|eyJrIjoi[\w+/=-]{40,}|NR(?:AK|II|JS|RA)-[\w-]{24,}",
            rb"[0-9a-f]{36}NRAL|sntry[su]_[\w+/=-]{40,}|sgp_\w{40,}|sq[apu]_[0-9a-f]{40}",
            rb"(?<![\w-])sk-(?:(?:proj|svcacct|admin|ant|or|lf|None)-[\w-]{20,}"
            rb"|(?=[a-zA-Z]{0,40}\d)[A-Za-z0-9]{20,}[\w-]*)",
            rb"hf_[A-Za-z0-9]{30,}|r8_\w{37}|gsk_\w{48,}|xai-\w{60,}|pplx-\w{40,}|nfp_\w{36,}",
            rb"sbp_[0-9a-f]{40}|sb_secret_[\w-]{20,}|pscale_(?:tkn|pw|oauth)_[\w.=-]{32,}",
            rb"PMAK-[0-9a-f]{24}-[0-9a-f]{34}|dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.]{40,}",
            rb"dt0c01\.[A-Z0-9]{24}\.[A-Z0-9]{64}|ops_eyJ[\w-]{100,}|CFPAT-[\w-]{40,}",
            rb"AGE-SECRET-KEY-1[0-9A-Z]{58}",
            rb"LS0tLS1CRUdJTi(?:BSU0Eg|BQUklWQVRF|BFQyBQ|BPUEVOU1NI|BFTkNSWVBU)[\w+/=]{20,}",
        )
    )
    + rb")[A-Za-z0-9]*+"
)
_JWT = re.compile(
    rb"eyJ(?:(?<![\w-]eyJ)|(?<=%[0-9A-Fa-f]{2}eyJ))[\w-]{8,}+\.[\w-]{8,}+\.[\w-]{4,}(?:\.[\w-]*)*+"
)
# All tokens hold a run of 15 signs in which a letter meets a digit, but for some of two kinds.
_MIXED_RUN = re.compile(rb"\b(?=[\w-]{15})(?:[\w-]{0,64}?(?:\d[A-Za-z]|[A-Za-z]\d)|hf_|xox)")

# --- Values that their place tells ---

# Literals alone, which `re` looks for quickly; what they find, the next expression looks at again.
_HINT = re.compile(
    rb"pass|pwd|secret|token|key|cred|auth|sess|sig|pin|otp|cvv|cvc|code|cookie|psk|sid|bearer"
    rb"|identified|webhook|hooks\.s|://|%3a%2f|@tcp\(|@unix\(|jdbc:o|-- ?begin|\$1\$|\$2|\$5\$"
    rb"|\$6\$|\$y\$|\$7\$|\$argon|\$scrypt|\$pbkdf|\.\.\.\.|mysql|mariadb|curl|wget|redis-cli|login|ldap"
)
_TELLING = re.compile(
    rb"(?:pass|pwd|secret|token|key|cred|auth|sess|sig|pin|otp|cvv|cvc|code|cookie|psk|sid)"
    rb"[\w.-]{0,28}(?: id)?(?:\\{0,3}[\"'`]|&\w{4};|&#\d\d;|%22)?(?:\]|%5d)?\s{0,8}(?:[:=>,(]|%3)"
    rb"|(?:key|token) [\w-]{20}|-(?<=[\s\"']-)-?[a-z]|bearer(?:\s|%20)|identified "
    rb"|password \\?['\"]|\"auth\" \"|://[^/\s]*@|%3a%2f%2f|@(?:tcp|unix)\(|jdbc:oracle"
    rb"|-- ?begin |\$(?:2[abxy]|[1567y]|argon|scrypt|pbkdf)|webhook|hooks\.slack|\.{4}"
)
_QUOTE = rb"(?:\\{0,3}[\"'`]|&quot;|&#3[49];|%22|\\u0022)"
_NAME = re.compile(
    rb"(?<![\w.-])(?<!\[redacted )(?<!\[redacted url )(?:([\w.-]++)"
    + _QUOTE
    + rb"?(?:\]|%5[Dd])?[ \t]{0,8}(=>|:=|::|==?|:|%3[DdAa])([ \t]{0,8})"
    rb"|(--?[A-Za-z][\w-]*+)(?:[ \t]{1,4}|[\"'](?:,| a\d{1,2}=)[ \t]?(?=[\"'])))"
)
_OPEN = re.compile(rb"\[?[bru]?(" + _QUOTE + rb")|\[?")
_CLOSED = {
    quote: re.compile(rb"(?:[^\\\n" + quote + rb"]|\\.){0,512}+(?=" + quote + rb")")
    for quote in (b'"', b"'", b"`")
}
_BARE = re.compile(
    rb"(?:(?!\[redacted )(?:[^\s\"'`&;,)\]}|<\\?]"
    rb"|&(?!amp;|quot;|#\d|[\w.%\[\]-]{1,64}=|\s|$)|[;|](?![\s\"']|$|[\w. -]{1,64}=)"
    rb"|[?](?![\w.-]{1,64}=)|[,)\]}](?![\s,;|)\]}\"']|$|[\w.-]{1,64}[=:])|<(?!/)|\\(?![\"'nrtu\\])))++"
)
# In an address within an address.
_ENCODED_BARE = re.compile(rb"(?:(?!\[redacted )(?:[^\s\"'&<>%]|%(?!26)))++")
_LOOK = 256
"""Bytes of a value that are looked at; a longer one goes whole."""
_WORDS = frozenset(
    b"true false yes no on off none null nil undefined unset set empty missing present absent "
    b"required optional expired invalid valid ok okay failed failure error unknown incorrect wrong "
    b"bad changed updated created deleted removed rotated revoked denied accepted rejected sent "
    b"hidden masked redacted filtered encrypted disabled enabled not n/a na eof string str bytes "
    b"integer prompt chauthtok option flag instead and or default file env include omit same-origin"
    b" {} [] void".split()
)
_PROSE = re.compile(rb"(?:[A-Za-z']+|\d{1,2})[,.:;]? (?![\w.-]+[=:])[A-Za-z(\"']")
_SENTENCE = re.compile(
    rb"(?i)\S+ .*\b(?:must|is|are|not|be|been|cannot|can't|should|required|too|at least|invalid"
    rb"|incorrect|expired|match)\b"
)
_NO_VALUE = re.compile(
    rb"(?:~|\.{1,2})?/(?:[a-z][a-z0-9_.-]{1,20}|Users|Library)(?:/|$)|[A-Za-z]:\\|file:"
    rb"|\$\{|\$\(|\{\{|%\(|%[sdv]$|\$[A-Z_]+$|<[\w |/-]+>|.*\*\*\*|[A-Za-z_][\w.]*\($"
    rb"|(?:arn:|vault:|op://|ssm:|projects/|env:)|[\w./-]+/[\w.-]+\.[a-z]{2,4}$"
    rb"|\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?$"
)
_DIGIT, _LETTER = re.compile(rb"\d"), re.compile(rb"[A-Za-z]")


def _names(text: bytes, end: bytes = b"") -> tuple[bytes, ...]:
    return tuple(name + end for name in text.split())


# Ends of names in lower case, without signs.
_STRONG = _names(
    b"password passwd passwort passphrase passcode pwd secret psk secretkey accesskeysecret"
    b" secretaccesskey privatekey accountkey sharedaccesskey encryptionkey decryptionkey signingkey"
    b" clientkeydata passwordconfirmation passwordhash passworddigest passwordagain"
)
_NOT_STRONG = _names(b"pull is no tls", b"secret")
_PASS = re.compile(
    rb"(?i:(?:^|[._-])pass$)|[a-z]Pass$|(?i:(?:db|user|smtp|mysql|ftp|http|proxy)pass$)"
)
_TOKENS = _names(
    b"access auth api refresh id session bearer csrf xsrf security bot user device oauth jwt vault"
    b" private personal deploy job registry reset invite verification admin service account login",
    b"token",
)
_NO_TOKENS = _names(b"next page continuation sync", b"token")
_KEYS = _names(
    b"api app application access shared client auth master license subscription storage admin"
    b" deploy webhook hmac symmetric service functions session secret",
    b"key",
)
_SESSIONS = _names(b"sessionid sessid connectsid")
_PIN = re.compile(
    rb"(?i:(?:^|[._-])(?:pin|otp|totp|cvv2?|cvc2?|cvn)$)|[a-z](?:Pin|PIN|Otp|OTP|Cvv|CVV|Cvc|CVC)$"
)
_CODES = _names(b"verification security otp mfa 2fa onetime sms login", b"code")
_LONG = _names(b"sig xamzsignature xgoogsignature auth credential credentials")
_ASKED = _names(b"code key signature hmac assertion")
_SPLIT_NAMES = _names(b"key token code id")
_BEFORE = re.compile(rb"([A-Za-z]+[ -])?([A-Za-z]+) $")


def redact(text: bytes, emails: bool = False) -> bytes:
    """The text with secrets replaced by `[redacted ...]`; with `emails`, addresses as well.

    >>> redact(b"login password=hunter2 from http://ann:s3cret@db/x")
    b'login password=[redacted secret] from http://ann:[redacted url password]@db/x'
    >>> redact(b"card 4111 1111 1111 1111, order 4111 1111 1111 1112")
    b'card [redacted card], order 4111 1111 1111 1112'
    >>> redact(b"mail to ann@example.com", emails=True)
    b'mail to [redacted email]'
    """
    for _ in range(_PASSES):
        found = _found(text, emails)
        if not found:
            break
        text = _without(text, found)
    return text


def _found(text: bytes, emails: bool) -> list[Span]:
    found: list[Span] = []
    if _MIXED_RUN.search(text):
        found += ((*m.span(), b"key") for m in _TOKEN.finditer(text))
        found += ((*m.span(), b"jwt") for m in _JWT.finditer(text))
    lower = text.lower()
    if _HINT.search(lower) and _TELLING.search(lower):
        found += _private_keys(text)
        found += _named(text)
        found += _placed(text)
    found += _cards(text)
    if emails and b"@" in text:
        found += ((*m.span(), b"email") for m in _EMAIL.finditer(text))
    return found


def _without(text: bytes, found: Iterable[Span]) -> bytes:
    pieces: list[bytes] = []
    at, end = 0, -1
    for begin, stop, name in sorted(found, key=lambda span: (span[0], -span[1])):
        if begin >= end:
            pieces += text[at:begin], _MARK, name, b"]"
        end = at = max(end, stop)
    return b"".join((*pieces, text[at:]))


# --- Private keys ---

_BEGIN = re.compile(rb"-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}")
_END = re.compile(rb"-{4,5} ?END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}(?:\\n)?")


def _private_keys(text: bytes) -> Iterator[Span]:
    """Whole blocks; all that follows where a block has no end."""
    at = 0
    while begin := _BEGIN.search(text, at):
        end = _END.search(text, begin.end())
        at = end.end() if end else len(text)
        yield begin.start(), at, b"private key"


# --- Values behind names ---


def _named(text: bytes) -> Iterator[Span]:
    """Values behind telling names: `name=value`, `"name": "value"`, `--name value` and the like."""
    at = 0
    while name := _NAME.search(text, at):
        at = name.end()
        before = text[name.start() - 1 : name.start()]
        if name[2] == b":" and not name[3] and before in (b"/", b"\\", b":"):
            continue  # a part of a path or of a name such as `arn:...:secret:db`
        kind = _kind(name[1] or name[4], text[max(name.start() - 32, 0) : name.start()], before)
        if kind is None:
            continue
        begin, end, quoted = _value(text, at, name[2] or b"")
        spaced = not quoted and bool(name[4] or name[3])
        if spaced and not (kind == "strong" and b"_" in (name[1] or name[4])):
            spaced = bool(_PROSE.match(text, begin))  # nobody writes `client_secret: ` in prose
        else:
            spaced = False
        if begin == end or text.startswith(_MARK, begin) or spaced:
            continue
        if _is_secret(kind, text[begin:end], quoted):
            at = end if quoted else _whole(_BARE, text, begin, end)
            yield begin, at, b"code" if kind == "pin" else b"secret"


def _kind(raw: bytes, before: bytes, sign: bytes) -> str | None:
    """What a name promises: a kind for `_is_secret`, or None if nothing.

    >>> _kind(b"DB_PASSWORD", b"", b""), _kind(b"sort_key", b"", b""), _kind(b"key", b"API ", b" ")
    ('strong', None, 'key')
    """
    name = raw[-64:].lower().translate(None, b"._-")
    if name in _SPLIT_NAMES and (words := _BEFORE.search(before)):
        name = (words[1] or b"").strip(b" -").lower() + words[2].lower() + name
    if name.endswith(_STRONG) or name.rstrip(b"0123456789").endswith(_STRONG):
        return None if name.endswith(_NOT_STRONG) else "strong"
    if _PASS.search(raw):
        return "pass"
    if name.endswith(b"token"):
        if name.endswith(_NO_TOKENS):
            return None
        return "strong token" if name.endswith(_TOKENS) or sign in (b"?", b"&") else "token"
    if name.endswith(_KEYS):
        return "key"
    if name.endswith(_SESSIONS):
        return "session"
    if _PIN.search(raw) or name.endswith(_CODES):
        return "pin"
    if name in _LONG:
        return "account" if name.startswith(b"credential") else "long"
    return "asked" if name in _ASKED and sign in (b"?", b"&") else None


def _value(text: bytes, at: int, sign: bytes) -> tuple[int, int, bool]:
    """Where the value at `at` begins and ends, and whether quotes tell."""
    opened = _OPEN.match(text, at)
    assert opened is not None
    begin, quote = opened.end(), opened[1]
    if quote:
        if quote in _CLOSED:
            closed = _CLOSED[quote].match(text, begin)
            end = closed.end() if closed else -1
        else:
            end = text.find(quote, begin, begin + 600)
        if end >= 0:
            return begin, end, True
    bare = (_ENCODED_BARE if sign.startswith(b"%") else _BARE).match(text, begin, begin + _LOOK)
    return begin, bare.end() if bare else begin, False


def _whole(form: re.Pattern[bytes], text: bytes, begin: int, end: int) -> int:
    """Where a value ends of which the first `_LOOK` bytes were looked at."""
    whole = form.match(text, begin) if end - begin == _LOOK else None
    return whole.end() if whole else end


def _is_secret(kind: str, value: bytes, quoted: bool) -> bool:
    """Whether what stands behind a name of this kind is a secret, and not a word about one."""
    word = value.strip(b".,;:!?()'\"\\ ")
    if word.lower() in _WORDS or _NO_VALUE.match(value):
        return False
    digit, letter, size = bool(_DIGIT.search(word)), bool(_LETTER.search(word)), len(word)
    if not (digit or letter or word.strip(b"*.-_#x[]{}()<>/ ") or max(word, default=0) > 127):
        return False
    if quoted and b" " in value and _SENTENCE.match(value):
        return False
    if kind == "strong":
        return not re.fullmatch(rb"[a-z][a-z-]*/[a-z.-]+", value)
    if kind == "pin":
        return bool(re.fullmatch(rb"\d{3,8}|\d{3}[ -]\d{3}", word))
    if b" " in value or word.startswith(b"0x"):
        return False
    if kind == "pass":
        return letter and size >= 4 and not re.fullmatch(rb"[\d.,/%]+\w{0,2}", word)
    if kind == "strong token":
        return size >= 4 and (letter or size >= 6)
    mixed = word.lower() != word and word.upper() != word and word.isalnum()
    if kind == "token":
        return letter and ((digit and size >= 8) or (mixed and size >= 16))
    if kind == "key":
        return (digit and size >= 6) or (mixed and size >= 16)
    if kind == "session":
        return letter and digit and size >= 16
    if kind == "account" and re.fullmatch(rb"[\w.-]+:[^/].+", word):
        return True
    if kind == "asked" and not re.fullmatch(rb"(?:\d/)?[\w%~-]*[A-Za-z0-9_%]{12}[\w%~-]*", word):
        return False
    return digit and letter and size >= 16 and word.count(b"/") < 4


# --- Values in other places ---

_SCHEMES = (
    rb"(?:bearer|basic|digest|token|api-?key|negotiate|ntlm|oauth|hawk|sharedkey(?:lite)?|bot|mac"
    rb"|aws4-hmac-sha256|googlelogin|ssws|geniekey|splunk|apitoken|private-token|key)"
)
_AUTHORIZATION = re.compile(
    rb"(?i)(?<!\[redacted )authorization"
    + _QUOTE
    + rb"?\]?\s{0,3}(?:=>|[:=,]|%3A)\s{0,3}[\[(]?(?:[bu](?=[\"']))?"
    + _QUOTE
    + rb"?(?:("
    + _SCHEMES
    + rb")(?:\s{1,3}|%20|\+))?+"
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
    rb"(?i)(?<![\w-])(?:set-)?cookie2?%s?\s{0,3}(?:=>|[:=,])\s{0,3}[\[(]?%s?" % (_QUOTE, _QUOTE)
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


def _placed(text: bytes) -> Iterator[Span]:
    """Values in headers, addresses, commands, SQL and XML."""
    for name, form in _PLACED:
        yield from ((*m.span(1), name) for m in form.finditer(text))
    for m in _SQL.finditer(text):
        if m[2].lower() not in _WORDS:
            yield (*m.span(2), b"secret")
    for form in (_XML, _LEADER):
        for m in form.finditer(text):
            kind = _kind(m[1], b"", b"")
            if kind and not m[2].startswith(_MARK) and _is_secret(kind, m[2], form is _XML):
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
        if pair[value] and pair[1].lower() not in _PUBLIC and not pair[value].startswith(_MARK):
            yield (*pair.span(value), b"authorization")
    one = None if paired else _CREDENTIAL.match(text, at, at + _LOOK)
    if one and _is_credential(text, at, one[0], asked=scheme is not None):
        yield at, _whole(_CREDENTIAL, text, *one.span()), b"authorization"


def _is_credential(text: bytes, begin: int, value: bytes, asked: bool) -> bool:
    """Whether a value in place of a credential is one; `asked`: its scheme was named."""
    if value.strip(b".:!?=").lower() in _WORDS or _PROSE.match(text, begin):
        return False
    if asked:
        return True
    mixed = value.lower() != value and not value.istitle()
    return len(value) >= 12 and (
        bool(_DIGIT.search(value)) or mixed or (len(value) >= 16 and value.isalpha())
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
            if len(value) >= 16 and _DIGIT.search(value) and _LETTER.search(value):
                yield (*pair.span(2), b"cookie")


# --- Card numbers, addresses of people ---

_CARD = re.compile(
    rb"[2-6](?<![\w.-].)(?<!\d\d[ -].)\d{3}([ -]?)(?:\d{4}\1\d{4}\1\d{4}|\d{6}\1\d{4,5})"
    rb"(?![\w]|[ -]\d{4}(?!\d)|\.\d)"
)
_ISSUERS = {
    16: re.compile(
        rb"4|5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720|6011|64[4-9]|65|62|352[89]|35[3-8]"
    ),
    15: re.compile(rb"3[47]"),
    14: re.compile(rb"30[0-5]|3[689]"),
}
_COUNTER = re.compile(
    rb"(?:(?<![A-Za-z])(?:[a-z]{0,8}_|job|tx|trace|span|request|msg|message|block|[pctuszxo])?(?i:id)"
    rb"|[a-z]I[dD]|(?<![A-Za-z])(?i:offset|seq|ts|time|timestamp|nanos|bytes|size|blk|block|zxid|lsn|pos"
    rb"|position))[\"']?[ :=#]{1,3}[\"']?$"
)
_EMAIL = re.compile(
    rb"(?<![\w.%+-])[\w.%+\x80-\xff-]{1,64}@(?:[A-Za-z0-9\x80-\xff-]{1,63}\.){1,8}[A-Za-z]{2,24}"
    rb"(?![\w-])"
)


def _cards(text: bytes) -> Iterator[Span]:
    """Numbers of an issuer's form that pass the Luhn check and are not called an id or a time."""
    for m in _CARD.finditer(text):
        number = m[0].translate(None, b" -")
        digits = [b - 48 for b in number]
        doubled = (d * 2 - 9 * (d > 4) if i % 2 else d for i, d in enumerate(reversed(digits)))
        if not _ISSUERS[len(number)].match(number) or sum(doubled) % 10 or len(set(digits)) < 2:
            continue
        whole = number == m[0]
        if not (whole and _COUNTER.search(text, max(m.start() - 32, 0), m.start())):
            yield (*m.span(), b"card")
