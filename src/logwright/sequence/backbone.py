"""The backbone: a GPT-Neo checkpoint and its tokenizer, as Hugging Face writes them.

`read(where)` takes a folder or a name such as `EleutherAI/gpt-neo-1.3B` and gives the transformer
and the function from text to token numbers. A name is looked up in the local cache first and
fetched with `huggingface_hub` otherwise; from there on both ways are one. Only safetensors are
read: the older `pytorch_model.bin` is a pickle, and a pickle runs code. A checkpoint that lacks a
weight is refused, since `transformers` would fill the hole with noise.

What is wrong with a checkpoint is said before anything large is read:

>>> import json, pathlib, tempfile
>>> with tempfile.TemporaryDirectory() as made:
...     folder = pathlib.Path(made)
...     _ = (folder / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
...     try:
...         _settings(folder, "DIR")
...     except ModelError as error:
...         print(str(error).partition(":")[0])
DIR holds a model of the architecture gpt2, and neo-1.3b needs gpt_neo
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from logwright.errors import MissingExtraError, ModelError

if TYPE_CHECKING:
    from transformers import GPTNeoModel

__all__ = ["ARCHITECTURE", "Backbone", "Texts", "read"]

ARCHITECTURE = "gpt_neo"
FILES = ("config.json", "model*.safetensors*", "tokenizer.json", "vocab.json", "merges.txt")
MOST_TOKENS = 64
"""Tokens of one template that count; a template longer than this is mostly a listing of values."""


class Texts:
    """From text to the backbone's token numbers, by its own byte-pair encoding.

    The wildcard `<*>` stands for what varies and says nothing, so it is left out. No text is
    unknown: the encoding is over bytes.
    """

    def __init__(self, encode: Any, between: int) -> None:
        self._encode = encode
        self.between = between
        """The number of the token between documents, from which start and end marks begin."""

    def __call__(self, text: str) -> list[int]:
        """The numbers of a text's first tokens; the one between documents if there is no text."""
        words = " ".join(text.replace("<*>", " ").split())
        # GPT-2's encoding gives a word inside a sentence another number than the same word at its
        # start; a template's first word is met inside sentences, hence the space before it.
        return list(self._encode(" " + words).ids[:MOST_TOKENS] if words else ()) or [self.between]

    def rows(self, texts: Iterable[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Token numbers of many texts, flat, and the bounds [n+1] of each text in them."""
        lists = [self(text) for text in texts]
        bounds = np.zeros(len(lists) + 1, np.int64)
        bounds[1:] = np.cumsum([len(row) for row in lists])
        flat = np.fromiter((number for row in lists for number in row), np.int64, int(bounds[-1]))
        return flat, bounds


@dataclass(frozen=True, slots=True)
class Backbone:
    """A pretrained transformer with the texts it understands."""

    neo: GPTNeoModel
    texts: Texts
    name: str


def read(where: str | Path) -> Backbone:
    """Read a checkpoint from a folder, or by its name from the local cache or the network.

    Weights come as float32; move them to bf16 afterwards where they stay frozen.
    """
    try:
        import safetensors
        import torch
        import transformers
        from huggingface_hub.errors import StrictDataclassError
    except ImportError as error:
        raise MissingExtraError("train", error.name or "transformers") from None

    folder = Path(where) if str(where) and Path(where).is_dir() else _fetch(str(where))
    settings = _settings(folder, where)
    _check_weights(folder, where)
    try:
        config = transformers.GPTNeoConfig(**settings)
        with warnings.catch_warnings(), _quiet(transformers):
            # Advice to developers of transformers, of no use to whoever trains a sequence model.
            warnings.simplefilter("ignore")
            # Typed as the model alone, whatever `output_loading_info` says.
            loaded: Any = transformers.GPTNeoModel.from_pretrained(
                folder,
                config=config,
                use_safetensors=True,
                local_files_only=True,
                output_loading_info=True,
                dtype=torch.float32,
            )
            neo, loading = loaded
    except safetensors.SafetensorError as error:
        raise ModelError(
            f"The weights in {where} cannot be read ({error}): the file is cut off or damaged, "
            "so fetch it again."
        ) from None
    except (StrictDataclassError, OSError, RuntimeError, ValueError, TypeError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"The GPT-Neo checkpoint in {where} cannot be loaded: {reason}") from None
    if absent := sorted(loading["missing_keys"]):
        raise ModelError(
            f"The checkpoint in {where} lacks {len(absent)} of GPT-Neo's weights, such as "
            f"{absent[0]}: fetch it again, whole."
        )
    between = config.eos_token_id if isinstance(config.eos_token_id, int) else 0
    texts = Texts(_tokenizer(folder, where, config.vocab_size), min(between, config.vocab_size - 1))
    return Backbone(neo, texts, str(where))


def _fetch(name: str) -> Path:
    """The folder in the local cache that holds a named checkpoint, fetched when it is not there."""
    if name.startswith((".", "/", "~")) or name.count("/") > 1 or not name:
        raise ModelError(f"There is no folder {name or '(empty name)'} with a GPT-Neo checkpoint.")
    try:
        import huggingface_hub
        from huggingface_hub.errors import (
            HfHubHTTPError,
            HFValidationError,
            RepositoryNotFoundError,
        )
    except ImportError:
        raise MissingExtraError("train", "huggingface_hub") from None
    try:
        return Path(huggingface_hub.snapshot_download(name, allow_patterns=list(FILES)))
    except HFValidationError:
        raise ModelError(
            f"{name} is neither a folder nor the name of a checkpoint: give either, such as "
            "EleutherAI/gpt-neo-1.3B."
        ) from None
    except RepositoryNotFoundError:
        raise ModelError(f"There is no checkpoint {name}, or it is not public.") from None
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise ModelError(
            f"The checkpoint {name} is not on this machine and could not be fetched "
            f"({type(error).__name__}): copy its folder here and give the folder instead."
        ) from None


def _settings(folder: Path, where: str | Path) -> dict[str, Any]:
    """What `config.json` says, if it says GPT-Neo."""
    path = folder / "config.json"
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"{where} has no config.json, so it is no checkpoint: give the folder that holds "
            "config.json and model.safetensors."
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from None
    found = settings.get("model_type") if isinstance(settings, dict) else None
    if found != ARCHITECTURE:
        raise ModelError(
            f"{where} holds a model of the architecture {found or 'unknown'}, and neo-1.3b needs "
            f"{ARCHITECTURE}: give a GPT-Neo checkpoint such as EleutherAI/gpt-neo-1.3B."
        )
    return {str(key): value for key, value in settings.items()}


def _check_weights(folder: Path, where: str | Path) -> None:
    """Say what is amiss with the files of weights: absent, an old pickle, parts absent."""
    index = folder / "model.safetensors.index.json"
    if (folder / "model.safetensors").is_file():
        return
    if index.is_file():
        try:
            parts = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        except (ValueError, KeyError, AttributeError, TypeError):
            raise ModelError(f"{index} cannot be read: fetch it again.") from None
        absent = sorted(part for part in parts if not (folder / part).is_file())
        if absent:
            raise ModelError(f"{where} lacks {absent[0]} and so a part of its weights.")
        return
    old = (folder / "pytorch_model.bin").is_file()
    raise ModelError(
        f"{where} has no model.safetensors"
        + (", and pytorch_model.bin is a pickle, which is never read" if old else "")
        + ": give a checkpoint that was saved as safetensors."
    )


def _tokenizer(folder: Path, where: str | Path, size: int) -> Any:
    """The function from a text to its tokens, of `tokenizer.json` or of GPT-2's pair of files."""
    import tokenizers

    whole, words, merges = (
        folder / name for name in ("tokenizer.json", "vocab.json", "merges.txt")
    )
    try:
        if whole.is_file():
            made: Any = tokenizers.Tokenizer.from_file(str(whole))
        elif words.is_file() and merges.is_file():
            made = tokenizers.ByteLevelBPETokenizer(str(words), str(merges))
        else:
            raise ModelError(
                f"{where} has no tokenizer: it needs tokenizer.json, or vocab.json and merges.txt."
            )
    except ModelError:
        raise
    except Exception as error:  # noqa: BLE001  (tokenizers raises no kind of its own)
        raise ModelError(f"The tokenizer in {where} cannot be read: {error}") from None
    if made.get_vocab_size() > size:
        raise ModelError(
            f"The tokenizer in {where} knows {made.get_vocab_size():,} tokens and the model "
            f"{size:,}: they do not belong together."
        )

    def encode(text: str) -> Any:
        return made.encode(text, add_special_tokens=False)

    return encode


class _quiet:  # noqa: N801  (used as a statement, like contextlib's)
    """Keep transformers' own progress bars and notes off the terminal while it loads."""

    def __init__(self, transformers: Any) -> None:
        self._logging = transformers.utils.logging

    def __enter__(self) -> None:
        self._before = self._logging.get_verbosity()
        self._bars = self._logging.is_progress_bar_enabled()
        self._logging.set_verbosity_error()
        self._logging.disable_progress_bar()

    def __exit__(self, *_: object) -> None:
        self._logging.set_verbosity(self._before)
        if self._bars:
            self._logging.enable_progress_bar()
