"""Secrets that their own form tells: tokens with a known prefix, JSON web tokens, private keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

from logwright.logs.secret_values import Span

__all__ = ["private_keys", "tokens"]

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
    rb"eyJ(?:(?<![\w-]eyJ)|(?<=%[0-9A-Fa-f]{2}eyJ))[\w-]{8,}+\.[\w-]{8,}+\.[\w-]{4,}(?:\.[\w-]*)*"
)
# All tokens hold a run of 15 signs in which a letter meets a digit, but for some of two kinds.
_MIXED_RUN = re.compile(rb"\b(?=[\w-]{15})(?:[\w-]{0,64}?(?:\d[A-Za-z]|[A-Za-z]\d)|hf_|xox)")

_BEGIN = re.compile(rb"-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}")
_END = re.compile(rb"-{4,5} ?END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}(?:\\n)?")


def tokens(text: bytes) -> Iterator[Span]:
    """Tokens that their prefix tells.

    >>> list(tokens(b"uses AKIAIOSFODNN7EXAMPLE"))
    [(5, 25, b'key')]
    """
    if _MIXED_RUN.search(text):
        yield from ((*m.span(), b"key") for m in _TOKEN.finditer(text))
        yield from ((*m.span(), b"jwt") for m in _JWT.finditer(text))


def private_keys(text: bytes) -> Iterator[Span]:
    """Whole blocks; all that follows where a block has no end.

    >>> list(private_keys(b"-----BEGIN RSA PRIVATE KEY-----MIIE..."))
    [(0, 38, b'private key')]
    """
    at = 0
    while begin := _BEGIN.search(text, at):
        end = _END.search(text, begin.end())
        at = end.end() if end else len(text)
        yield begin.start(), at, b"private key"
