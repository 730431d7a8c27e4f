"""Cheap token classes: what kind of value a token is, decided from the token alone.

No regular expression here can backtrack: each is a chain of disjoint character classes. The lists
(URL schemes, top-level domains, account names) are general conventions, not words of one log.
"""

from __future__ import annotations

import re

__all__ = ["SCHEMES", "is_value", "value_type"]

SCHEMES = frozenset(
    b"http https ftp sftp ssh ws wss file hdfs s3 s3a s3n gs jdbc tcp udp rpc amqp kafka redis "
    b"mongodb mysql postgresql ldap ldaps spark akka git svn smb nfs jar tls unix rtsp sip".split()
)
"""Words that begin an address when a colon follows them."""

_NAMES = frozenset(b"true false null nil nan undefined root admin administrator nobody".split())
_ZONES = frozenset(b"com net org edu gov mil info biz arpa local localdomain internal lan".split())
_UUID = re.compile(rb"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_NUMBER = re.compile(rb"[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_AMOUNT = re.compile(rb"[-+]?[0-9]+(?:\.[0-9]+)?(?:%|[A-Za-z]{1,5})")
_HEX = re.compile(rb"(?:0[xX])[0-9a-fA-F]+|[0-9a-fA-F]{7,}|[0-9a-fA-F]{4,}")
_IP = re.compile(rb"/?[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?:[:/][0-9]+)?")
_IP6 = re.compile(rb"[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}")
_PAIRS = re.compile(rb"[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5,}")
_TIME = re.compile(
    rb"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?"
    rb"|[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}(?:[T _:-][0-9:.,]+(?:Z|[-+][0-9:]{4,5})?)?"
    rb"|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}"
)
_LABELS = re.compile(rb"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+\.?")
_VERSION = re.compile(rb"[vV][0-9]+(?:\.[0-9A-Za-z_-]+)*|[0-9]+(?:\.[0-9A-Za-z_-]+){2,}")
_ENDPOINT = re.compile(rb"[A-Za-z0-9_]*[.-][A-Za-z0-9._-]+(?:/[0-9.]+)?(?::[0-9]{1,5})?")
_COLONS = re.compile(rb"[0-9A-Fa-f]{1,4}(?::+[0-9A-Fa-f]{1,4}){3,}")
_USER = re.compile(rb"[A-Za-z0-9._+-]+@[A-Za-z0-9._-]+")
_WORD = re.compile(rb"[A-Za-z][A-Za-z_-]*")


def _is_host(token: bytes) -> bool:
    """Dotted labels that end in a domain: any of two or more dots, or a well-known one.

    Reversed names such as `com.example.app` and file names such as `run.sh` are not hosts.
    """
    if not _LABELS.fullmatch(token):
        return False
    labels = token.rstrip(b".").lower().split(b".")
    if labels[0] in _ZONES:
        return False
    last = labels[-1]
    return last in _ZONES or (len(labels) > 2 and len(last) == 2 and last.isalpha())


def _is_path(token: bytes) -> bool:
    """An absolute, home or relative path, with `/` or `\\`."""
    if token.startswith((b"/", b"~/", b"./", b"../", b"\\")):
        return len(token.strip(b"/\\.~")) > 1
    return token.count(b"/") > 1 or token.count(b"\\") > 1


def is_value(token: bytes) -> bool:
    """Whether a token without digits is a value all the same: path, host, user@host, true, null.

    >>> [is_value(t) for t in (b"/etc/hosts", b"ns.example.com", b"true", b"com.example.App")]
    [True, True, True, False]
    """
    if token.isalpha():
        return token.lower() in _NAMES
    if b"/" in token or b"\\" in token:
        return _is_path(token)
    if b"@" in token:
        return _USER.fullmatch(token) is not None
    return b"." in token and _is_host(token)


def value_type(value: bytes) -> str:
    """The type of a parameter's value.

    One of number, amount (a number with its unit), hex, uuid, ip, time, url, path, host, user
    (user@host), version, word, list (holds white space), other.

    >>> [value_type(v) for v in (b"-3.5", b"12ms", b"0x1f", b"10.0.0.1:80", b"/var/log", b"12:30")]
    ['number', 'amount', 'hex', 'ip', 'path', 'time']
    """
    if _NUMBER.fullmatch(value):
        return "number"
    if _WORD.fullmatch(value):
        return "word"
    if _IP.fullmatch(value):
        return "ip"
    if _TIME.fullmatch(value):
        return "time"
    if _HEX.fullmatch(value):
        return "hex"
    if _VERSION.fullmatch(value):
        return "version"
    if _AMOUNT.fullmatch(value):
        return "amount"
    if _UUID.fullmatch(value):
        return "uuid"
    if any(byte in b" \t" for byte in value):
        return "list"
    scheme, colon, rest = value.partition(b":")
    if colon and scheme.lower() in SCHEMES:
        return "url"
    if _PAIRS.fullmatch(value):
        return "hex"
    if _IP6.fullmatch(value):
        return "ip"
    if (b":" in value or b"/" in value) and _ENDPOINT.fullmatch(value):
        return "host"
    if _COLONS.fullmatch(value):
        return "hex"
    if b"/" in value or b"\\" in value:
        return "path" if _is_path(value) or _is_path(rest) else "other"
    if _USER.fullmatch(value):
        return "user"
    if _is_host(scheme):
        return "host"
    return "other"
