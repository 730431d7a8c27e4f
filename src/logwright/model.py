"""The model: a folder that holds what was learned (contract 8).

::

    MODEL/
      manifest.json            format version, hashes of all other files, settings, window plan
      templates.parquet        templates with their shapes and, unless left out, example lines
      detectors/N-NAME.json    what each detector learned: small values
      detectors/N-NAME.TABLE.parquet     ... and tables
      thresholds.json          the ladder: detectors in order, thresholds, reasons
      card.md                  the same for people

There is no pickle anywhere. Loading checks every hash and refuses a folder written by a newer
format. `edits.jsonl` and `store.db`, where they exist, belong to the user: they lie beside the
hashed part and survive relearning into the same folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from logwright.detectors.base import Detector, State
from logwright.detectors.counts import UNITS, Counts
from logwright.detectors.ladder import Ladder, Rung
from logwright.detectors.rate import Rate
from logwright.detectors.thresholds import Threshold
from logwright.detectors.unseen import Unseen
from logwright.errors import ModelError
from logwright.templates.miner import Miner
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.plan import WindowPlan

if TYPE_CHECKING:
    from logwright.findings.finding import Finding

__all__ = ["MODEL_FORMAT", "History", "Model"]

MODEL_FORMAT = 1
_USERS_FILES = ("edits.jsonl", "store.db", "store.db-wal", "store.db-shm")


class History(BaseModel):
    """What a model was learned from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: tuple[str, ...] = ()
    lines: int = 0
    first: str | None = None
    last: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Model:
    """What was learned from history: templates, windows, detectors, thresholds.

    >>> import logwright as lw, tempfile, pathlib
    >>> log = pathlib.Path(tempfile.mkdtemp(), "app.log")
    >>> _ = log.write_text("".join(f"job {i} done\\n" for i in range(50)))
    >>> model = lw.learn(str(log))
    >>> [t.text for t in model.templates]
    ['job <*> done']
    >>> _ = log.write_text("job 51 done\\ndisk full\\n")
    >>> [f.summary for f in model.detect(str(log))]
    ["new: 'disk full', seen once, never in the 50 lines of history"]
    """

    miner: Miner
    ladder: Ladder
    plan: WindowPlan
    session: str | None = None
    session_reason: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    history: History = field(default_factory=History)

    @property
    def templates(self) -> list[Any]:
        """The templates of history, sorted by id."""
        return self.miner.templates

    def vocabulary(self) -> Vocabulary:
        """A fresh vocabulary of this model's templates."""
        return Vocabulary(self.miner, self.miner.templates)

    def detect(self, *inputs: str, **settings: Any) -> list[Finding]:
        """Findings in files, globs, folders or '-', most telling first."""
        from logwright.api import detect

        return detect(inputs, self, **settings).findings

    def save(self, folder: str | os.PathLike[str], exemplars: bool = True) -> None:
        """Write the model; a model that is there is replaced, its user's files are kept."""
        target = Path(folder)
        if target.exists() and not (target / "manifest.json").is_file() and any(target.iterdir()):
            raise ModelError(f"{target} exists and is not a model: choose another folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            self._write(work, exemplars)
            os.chmod(work, 0o755)
            if target.exists():
                for name in _USERS_FILES:
                    if (target / name).exists():
                        shutil.copy2(target / name, work / name)
                old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
                os.replace(target, old / "model")
                os.replace(work, target)
                shutil.rmtree(old)
            else:
                os.replace(work, target)
        except OSError as error:
            raise ModelError(f"{target} cannot be written: {error.strerror or error}") from None
        finally:
            if work.exists():
                shutil.rmtree(work)

    def _write(self, folder: Path, exemplars: bool) -> None:
        pq.write_table(self.miner.to_table(exemplars), folder / "templates.parquet")
        (folder / "detectors").mkdir()
        rungs = []
        for i, rung in enumerate(self.ladder.rungs):
            state = rung.detector.state()
            stem = f"{i}-{rung.detector.name}"
            _write_json(folder / "detectors" / f"{stem}.json", state.meta)
            for name, columns in state.tables.items():
                pq.write_table(pa.table(columns), folder / "detectors" / f"{stem}.{name}.parquet")
            rungs.append(
                {
                    "detector": rung.detector.name,
                    "unit": rung.detector.unit,
                    "reads": rung.reads,
                    "threshold": rung.threshold.value,
                    "threshold_reason": rung.threshold.reason,
                    "reason": rung.reason,
                    "tables": sorted(state.tables),
                }
            )
        _write_json(folder / "thresholds.json", {"rungs": rungs, "reasons": self.ladder.reasons})
        (folder / "card.md").write_text(self.card(), "utf-8")
        hashes = {
            str(p.relative_to(folder)): _sha256(p) for p in sorted(folder.rglob("*")) if p.is_file()
        }
        manifest = {
            "format": MODEL_FORMAT,
            "settings": self.settings,
            "session": self.session,
            "session_reason": self.session_reason,
            "plan": self.plan.model_dump(),
            "history": self.history.model_dump(),
            "sha256": hashes,
        }
        _write_json(folder / "manifest.json", manifest)
        for path in folder.rglob("*"):
            if path.is_file():
                with open(path, "rb") as file:
                    os.fsync(file.fileno())

    def card(self) -> str:
        """The model in words, Markdown."""
        h = self.history
        lines = [
            "# Model card",
            "",
            f"Learned from {h.lines:,} lines of {', '.join(h.sources) or 'no source'}"
            + (f", {h.first} to {h.last}." if h.first else "."),
            "",
            f"- templates: {len(self.miner.templates):,}",
            f"- windows: {self.plan.kind} ({self.plan.reason})",
            *([f"- {self.session_reason}"] if self.session_reason else []),
            "",
            "## Detectors",
            "",
            *(f"- {reason}" for reason in self.ladder.reasons),
            "",
            *(
                ["## Notes on the input", "", *(f"- {note}" for note in h.notes), ""]
                if h.notes
                else []
            ),
        ]
        return "\n".join(lines)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Model:
        """Read a model, checking format and hashes."""
        path = Path(folder)
        manifest = _read_json(path / "manifest.json", path)
        version = manifest.get("format")
        if not isinstance(version, int) or version > MODEL_FORMAT:
            raise ModelError(
                f"{path} has model format {version!r}; this version reads up to {MODEL_FORMAT}: "
                "upgrade Logwright, or learn the model again"
            )
        hashes = manifest.get("sha256", {})
        for name, digest in hashes.items():
            file = (path / name).resolve()
            if not file.is_relative_to(path.resolve()) or not file.is_file():
                raise ModelError(f"{path}: {name} is missing")
            if _sha256(file) != digest:
                raise ModelError(f"{path}: {name} was changed or damaged since it was learned")
        try:
            miner = Miner.from_table(_read_table(path, "templates.parquet", hashes))
            ladder = cls._read_ladder(path, hashes)
            return cls(
                miner,
                ladder,
                WindowPlan.model_validate(manifest["plan"]),
                manifest["session"],
                manifest["session_reason"],
                dict(manifest["settings"]),
                History.model_validate(manifest["history"]),
            )
        except (KeyError, TypeError, ValueError, ValidationError, pa.ArrowException) as error:
            raise ModelError(f"{path} is not a whole model: {error}") from None

    @staticmethod
    def _read_ladder(path: Path, hashes: dict[str, str]) -> Ladder:
        saved = _read_json(path / "thresholds.json", path)
        rungs = []
        for i, r in enumerate(saved["rungs"]):
            stem = f"detectors/{i}-{r['detector']}"
            tables = {
                name: {
                    c: column.to_numpy()
                    for c, column in zip(t.column_names, t.columns, strict=True)
                }
                for name in r["tables"]
                for t in [_read_table(path, f"{stem}.{name}.parquet", hashes)]
            }
            detector = _empty(r["detector"], r["unit"])
            detector.restore(State(_read_json(path / f"{stem}.json", path), tables))
            threshold = Threshold(float(r["threshold"]), r["threshold_reason"])
            rungs.append(Rung(detector, threshold, r["reads"], r["reason"]))
        return Ladder(rungs, list(saved["reasons"]))


def _empty(name: str, unit: str) -> Detector:
    """A detector by its saved name, to be restored."""
    if name == "unseen" and unit in ("template", "bigram"):
        return Unseen("bigram" if unit == "bigram" else "template")
    if name == "rate":
        return Rate()
    for known in UNITS:
        if name == "counts" and unit == known:
            return Counts(known)
    raise ModelError(f"there is no detector {name!r} with unit {unit!r} in this version")


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _read_json(path: Path, folder: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{folder} is not a model: there is no {path.name} in it") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise ModelError(f"{path}: expected a JSON object")
    return value


def _read_table(path: Path, name: str, hashes: dict[str, str]) -> pa.Table:
    if name not in hashes:
        raise ModelError(f"{path}: {name} is not among the files of the manifest")
    return pq.read_table(path / name)
