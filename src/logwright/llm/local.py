"""A language model in a folder of this machine, run by transformers: `local:FOLDER`.

Weights are read from safetensors alone and no code of the folder is run. Words are the likeliest
ones, so that the same question has the same answer. A chat template's marks are tokens only where
the template itself puts them: the same marks in a text are text, so that no line of a log can begin
a turn of its own.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from logwright.errors import MissingExtraError, SettingsError
from logwright.llm.budget import Account, Charge
from logwright.llm.errors import ContextError, ModelAnswerError
from logwright.llm.journal import Journal
from logwright.llm.reply import Reply, Usage, split_thoughts
from logwright.llm.request import Request, Role

__all__ = ["Local"]

_SAMPLES, _SAMPLE = 64, 1 << 16
"""Pieces of a file, and bytes of each, that its fingerprint is made of: training changes nearly all
numbers, and reading all of a large file would take longer than an answer."""
_SEPARATOR = "\ue000"
"""Around the place of a text in a template: a character of no language."""
_LOOKED_BACK = 16
"""Tokens beyond those of a stop text in which it is looked for."""
_NO_LIMIT = 1 << 20


class Local:
    """A model in a folder. It is loaded with the first question."""

    def __init__(self, folder: Path, account: Account, journal: Journal) -> None:
        if not (folder / "config.json").is_file():
            raise SettingsError(
                f"{folder} holds no language model: a folder with config.json, a tokenizer and "
                f"safetensors is expected."
            )
        self._folder = folder
        self._account = account
        self._journal = journal
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._loaded: tuple[Any, Any] | None = None

    @property
    def name(self) -> str:
        """The folder's name and a fingerprint of what is in it: journals know a model by it, so
        that one that was trained on is asked anew."""
        told = hashlib.sha256()
        for path in sorted(self._folder.iterdir()):
            if path.suffix in (".json", ".safetensors", ".model", ".jinja") and path.is_file():
                told.update(f"{path.name}\0{path.stat().st_size}\0".encode())
                _sample(path, told)
        return f"{self._folder.resolve().name}@{told.hexdigest()[:12]}"

    def complete(self, request: Request, purpose: str) -> tuple[Reply, Charge]:
        """The reply and its charge: tokens count, though they cost nothing."""
        with self._lock:
            if self._over.is_set():
                raise ModelAnswerError(f"The asking was stopped before: {purpose}.", True)
            model, tokenizer = self._loaded = self._loaded or _load(self._folder)
            prompt = _tokens(tokenizer, request.turns)
            most = _most_tokens(model)
            if len(prompt) + request.max_tokens > most:
                raise ContextError(
                    f"{self._folder} takes {most:,} tokens, and {len(prompt):,} with "
                    f"{request.max_tokens:,} for the answer are needed (asked for: {purpose}).",
                    most,
                )
            held = self._account.reserve(request)
            number = self._journal.sent(request.key, purpose, held)
            try:
                reply = self._written(model, tokenizer, prompt, request)
            except BaseException:
                self._account.free(held)
                self._journal.freed(number)
                raise
            charge = self._account.settle(held, reply.usage)
            self._journal.answered(number, request.key, request.model, purpose, reply, charge)
            return reply, charge

    def close(self) -> None:
        """What is being written ends with its next word."""
        self._over.set()

    def _written(self, model: Any, tokenizer: Any, prompt: list[int], request: Request) -> Reply:
        import torch

        given = torch.tensor([prompt], device=model.device)

        def done(ids: Any, _: Any, **__: Any) -> Any:
            row = ids[0, len(prompt) :].tolist()
            ended = self._over.is_set() or _stops(tokenizer, row, request.stop)
            return torch.tensor([ended], device=ids.device)

        with torch.no_grad():
            out = model.generate(
                input_ids=given,
                attention_mask=torch.ones_like(given),
                max_new_tokens=request.max_tokens,
                do_sample=False,
                num_beams=1,
                temperature=None,
                top_p=None,
                top_k=None,
                eos_token_id=_ending(model, tokenizer),
                pad_token_id=_padding(model, tokenizer),
                stopping_criteria=[done],
            )
        if self._over.is_set():
            raise ModelAnswerError("The asking was stopped while the model wrote.", True)
        row = out[0, len(prompt) :].tolist()
        text = tokenizer.decode(row, skip_special_tokens=True)
        ends = [at for stop in request.stop if (at := text.find(stop)) >= 0]
        thoughts, answer = split_thoughts(text[: min(ends)] if ends else text)
        cut = (
            len(row) >= request.max_tokens and not ends and row[-1] not in _ending(model, tokenizer)
        )
        return Reply(
            text=answer,
            thoughts=thoughts,
            finish="length" if cut else "stop",
            usage=Usage(prompt=len(prompt), completion=len(row)),
        )


def _load(folder: Path) -> tuple[Any, Any]:
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtraError("train", "transformers") from error
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
        logging: Any = transformers.logging
        bars = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()
        try:
            model: Any = transformers.AutoModelForCausalLM.from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                dtype="auto",
            )
        finally:
            if bars:
                logging.enable_progress_bar()
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        why = " ".join(str(error).split())[:200]
        raise SettingsError(f"The language model in {folder} cannot be loaded: {why}") from error
    return model.to("cuda" if torch.cuda.is_available() else "cpu").eval(), tokenizer


def _tokens(tokenizer: Any, turns: Sequence[tuple[Role, str]]) -> list[int]:
    """The tokens of a conversation. The template is filled with marks in place of the texts, which
    are put in as tokens of plain text."""
    if tokenizer.chat_template is None:
        text = "\n\n".join(text for _, text in turns) + "\n\n"
        begun = [] if tokenizer.bos_token_id is None else [int(tokenizer.bos_token_id)]
        return begun + _plain(tokenizer, text)
    places = [
        {"role": role, "content": f"{_SEPARATOR}{at}{_SEPARATOR}"}
        for at, (role, _) in enumerate(turns)
    ]
    pieces = _filled(tokenizer, places).split(_SEPARATOR)
    texts = [text for _, text in turns]
    tokens: list[int] = []
    for at, piece in enumerate(pieces):
        if at % 2:
            tokens += _plain(tokenizer, texts[int(piece)])
        elif piece:
            tokens += tokenizer(piece, add_special_tokens=False)["input_ids"]
    return tokens


def _filled(tokenizer: Any, turns: list[dict[str, str]]) -> str:
    from jinja2 import TemplateError

    def fill(turns: list[dict[str, str]]) -> str:
        return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))

    try:
        return fill(turns)
    except TemplateError:
        # Some templates know no system turn: what it says then begins the first question.
        first, second, *rest = turns
        if first["role"] != "system":
            raise
        joined = f"{first['content']}\n\n{second['content']}"
        return fill([{"role": second["role"], "content": joined}, *rest])


def _plain(tokenizer: Any, text: str) -> list[int]:
    ids = tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    return [int(each) for each in ids if each not in special]


def _stops(tokenizer: Any, row: list[int], stops: Sequence[str]) -> bool:
    for stop in stops:
        # A token is at least one byte: no more of them can hold the stop text.
        tail = row[-(len(stop.encode()) + _LOOKED_BACK) :]
        if stop in tokenizer.decode(tail, skip_special_tokens=True):
            return True
    return False


def _ending(model: Any, tokenizer: Any) -> list[int]:
    """Tokens that end an answer: the model knows some, its tokenizer that of its template."""
    known = model.generation_config.eos_token_id
    ends = [*known] if isinstance(known, list) else [known]
    return [int(each) for each in (*ends, tokenizer.eos_token_id) if each is not None]


def _padding(model: Any, tokenizer: Any) -> int:
    known = (tokenizer.pad_token_id, *_ending(model, tokenizer), 0)
    return next(int(each) for each in known if each is not None)


def _most_tokens(model: Any) -> int:
    return int(getattr(model.config, "max_position_embeddings", None) or _NO_LIMIT)


def _sample(path: Path, told: Any) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        for at in range(_SAMPLES):
            file.seek(max(size - _SAMPLE, 0) * at // (_SAMPLES - 1))
            told.update(file.read(_SAMPLE))
            if size <= _SAMPLE:
                break
