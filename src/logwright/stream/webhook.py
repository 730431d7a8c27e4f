"""The webhook sink: findings as alerts for Alertmanager (API v2), or whatever takes its JSON.

An alert's labels are what like findings share (detector, pattern, severity, service, host, source),
so that Alertmanager groups, silences and inhibits by them; what differs from finding to finding is
in the annotations. The server is not trusted: no redirect is followed, and its answer is read to a
limit. A refusal (4xx) is tried again like any failure: nothing is thrown away, and it is said.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from logwright.errors import SettingsError
from logwright.findings.escape import fit
from logwright.findings.finding import Finding
from logwright.findings.run import parse_time, telling
from logwright.stream.sink import SinkError

__all__ = ["TOKEN", "Webhook", "alert"]

TOKEN = "LOGWRIGHT_WEBHOOK_TOKEN"
"""Environment variable of a bearer token for the webhook."""

_TIMEOUT = 5.0  # below a lease, so that no other worker begins to deliver meanwhile
_LABEL, _ANNOTATION = 200, 1_000
_ANSWER = 1_000
_PATH = "/api/v2/alerts"


def alert(finding: Finding, now: datetime) -> dict[str, Any]:
    """One alert of Alertmanager's API v2."""
    line = telling(finding)
    labels = {
        "alertname": "LogwrightFinding",
        "severity": finding.severity,
        "detector": finding.detector,
        "unit": finding.unit,
        "pattern": finding.pattern,
        "service": finding.components[0] if finding.components else "",
        "host": finding.hosts[0] if finding.hosts else "",
        "source": finding.lines[0].source if finding.lines else "",
        "rule": finding.rule or "",
    }
    annotations = {
        "summary": finding.summary,
        "expected": finding.expected,
        "seen": finding.seen,
        "line": "" if line is None else f"{line.source}:{line.line_no}: {line.text}",
        "finding": finding.id,
    }
    made: dict[str, Any] = {
        "labels": {k: fit(v, _LABEL) for k, v in labels.items() if v},
        "annotations": {k: fit(v, _ANNOTATION) for k, v in annotations.items() if v},
    }
    # An alert that begins after it ends (which is soon, by default) is refused.
    began = None if finding.first_seen is None else parse_time(finding.first_seen)
    if began is not None and began <= now:
        made["startsAt"] = finding.first_seen
    return made


class _Stay(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


class Webhook:
    """Posts alerts to `url`; without a path, to Alertmanager's. The token is in `TOKEN`.

    >>> Webhook("http://alerts.example:9093").name
    'webhook:http://alerts.example:9093/api/v2/alerts'
    """

    def __init__(self, url: str, timeout: float = _TIMEOUT) -> None:
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host or parts.scheme not in ("http", "https"):
            raise SettingsError("--out http://HOST[:PORT][/PATH] is no URL that can be read")
        if "@" in parts.netloc:
            raise SettingsError(f"The URL of --out holds a password: give a token in {TOKEN}")
        self._url = urlunsplit(parts._replace(path=parts.path.rstrip("/") or _PATH, fragment=""))
        self.name = f"webhook:{self._url.partition('?')[0]}"
        self._timeout, self._opener = timeout, build_opener(_Stay)
        self._headers = {"Content-Type": "application/json", "User-Agent": "logwright"}
        if token := os.environ.get(TOKEN, "").strip():
            if not token.isascii() or not token.isprintable():
                raise SettingsError(f"{TOKEN} is no token: it holds characters that no token has")
            self._headers["Authorization"] = f"Bearer {token}"

    def put(self, findings: Sequence[bytes]) -> None:
        """See `Sink.put`."""
        now = datetime.now(UTC)
        alerts = [alert(Finding.model_validate_json(finding), now) for finding in findings]
        request = Request(self._url, json.dumps(alerts).encode(), self._headers, method="POST")
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                answer.read(_ANSWER)
        except HTTPError as error:
            with error:
                told = fit(error.read(_ANSWER).decode("utf-8", "replace"), 200)
            raise SinkError(f"{self.name} answers {error.code}: {told or 'nothing'}") from None
        except (URLError, OSError, HTTPException) as error:
            why = getattr(error, "reason", error)
            raise SinkError(f"{self.name} cannot be reached: {fit(str(why), 200)}") from None

    def close(self) -> None:
        """See `Sink.close`."""
