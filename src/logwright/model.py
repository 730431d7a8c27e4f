"""The model: a folder that holds what was learned.

::

    MODEL/
      manifest.json            format version, hashes of all other files, settings, window plan
      templates.parquet        templates with their shapes and, unless left out, example lines
      detectors/N-NAME.json    what each detector learned: small values
      detectors/N-NAME.TABLE.parquet     ... and tables
      sequence.onnx            the sequence step's network, where one was trained
      thresholds.json          the ladder: detectors in order, thresholds, reasons
      card.md                  the same for people

`edits.jsonl` (names, merges, splits, mutes: `templates.edits`), `rules/` (a rulebook:
`rules.book.rulebook`) and `store.db`, where they exist, belong to the user: they lie beside the
hashed part and survive relearning into the same folder. How the files are read and written is said
in `bundle`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from logwright.bundle import (
    JOINED_SINCE,
    MODEL_FORMAT,
    Bundle,
    History,
    check_target,
    replacing,
    seal,
    untrusted,
    write_ladder,
)
from logwright.detectors.ladder import Ladder
from logwright.detectors.unseen import Unseen
from logwright.findings.run import many
from logwright.templates.edits import Edit, read_edits, write_edits
from logwright.templates.miner import Miner, Template
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.plan import WindowPlan

if TYPE_CHECKING:
    from logwright.findings.finding import Finding

__all__ = ["Model"]


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
    format: int = MODEL_FORMAT
    folder: Path | None = None

    @property
    def templates(self) -> list[Template]:
        """The templates of history, sorted by id."""
        return self.miner.templates

    def vocabulary(self) -> Vocabulary:
        """A fresh vocabulary of this model's templates."""
        return Vocabulary(self.miner)

    @property
    def edits(self) -> tuple[Edit, ...]:
        """What users say of templates: names, merges, splits and mutes that stand, in order."""
        return self.miner.edits

    def orphans(self) -> list[Edit]:
        """Edits of which the model holds no shape: they wait for a history that does."""
        return [e for e in self.edits if not any(map(self.miner.holds, e.shape_keys()))]

    def notes(self) -> list[str]:
        """What is to be said of this model whenever it is used, a sentence each."""
        orphans, muted = len(self.orphans()), sum(t.muted for t in self.templates)
        notes = []
        if self.format < JOINED_SINCE:
            notes.append(
                "the model was learned by a version that did not join stack traces: learn again, "
                "as the lines that are joined now seem to have vanished"
            )
        if muted:
            notes.append(f"{many(muted, 'template')} muted: nothing is raised for these alone")
        if orphans:
            one = orphans == 1
            notes.append(
                f"{many(orphans, 'edit')} {'is' if one else 'are'} of templates that the model "
                f"does not hold: 'logwright templates list' names {'it' if one else 'them'}"
            )
        return notes

    def counts(self) -> list[int | None]:
        """How many lines of history each template has; None where a split came after learning, so
        that it was not counted apart."""
        for rung in self.ladder.rungs:
            if isinstance(rung.detector, Unseen) and rung.detector.unit == "template":
                table = rung.detector.save().tables["known"]
                seen = dict(zip(table["hash"].tolist(), table["seen"].tolist(), strict=True))
                known = [self.miner.learned_ids(t) for t in self.templates]
                return [
                    None if ids is None else sum(seen.get(int(i[2:], 16), 0) for i in ids)
                    for ids in known
                ]
        return [None] * len(self.templates)

    def detect(self, *inputs: str, **settings: Any) -> list[Finding]:
        """Findings in files, globs, folders or '-', most telling first."""
        from logwright.api import detect

        return detect(inputs, self, **settings).findings

    @staticmethod
    def check_target(folder: str | os.PathLike[str]) -> Path:
        """The folder that `save` would write, links followed; `ModelError` where it could not."""
        return check_target(folder)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the model; a model that is there is replaced, its user's files are kept. Where it
        had no edits, this model's are written.

        Example lines are left out where the setting `exemplars` was off when it was learned.
        """
        exemplars = bool(self.settings.get("exemplars", True))
        facts = {
            "settings": self.settings,
            "session": self.session,
            "session_reason": self.session_reason,
            "plan": self.plan.model_dump(),
            "history": self.history.model_dump(),
        }
        with replacing(folder) as work:
            pq.write_table(self.miner.to_table(exemplars), work / "templates.parquet")
            write_ladder(work, self.ladder)
            (work / "card.md").write_text(self.card(), "utf-8", "backslashreplace")
            seal(work, facts)
            if self.edits:
                write_edits(work, self.edits)

    def card(self) -> str:
        """The model in words, Markdown."""
        h = self.history
        lines = [
            "# Model card",
            "",
            f"Learned from {many(h.lines, 'line')} of {', '.join(h.sources) or 'no source'}"
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
        """Read a model, checking format, bounds and hashes."""
        path = Path(folder)
        with untrusted(path):
            bundle = Bundle.read(path)
            manifest = bundle.manifest
            return cls(
                Miner.from_table(bundle.table("templates.parquet"), edits=read_edits(path)),
                bundle.ladder(),
                manifest.plan,
                manifest.session,
                manifest.session_reason,
                dict(manifest.settings),
                manifest.history,
                manifest.format,
                path,
            )
