"""What training asks of torch, transformers, trl and peft: to be there, to be still, and to stay at
home. Models and tokenizers come from folders; nothing here or below reaches the network."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from logwright.errors import MissingExtraError, ModelError
from logwright.reasoning.training.configs import LoraShape

__all__ = ["Loaded", "adapter", "at_home", "load", "merged", "save"]

_NOT_OURS = (
    # trl 1.16 asks for both by the names that transformers 5 gave up.
    r"`is_gradient_checkpointing` is deprecated",
    r"`gradient_checkpointing_(enable|disable)` is deprecated",
)


@contextmanager
def at_home() -> Iterator[None]:
    """No call home while this is open: trl tells its makers of every trainer, unless this is off.

    The constants are set, not the environment: that is read when the package is imported, which may
    have been long ago. Warnings of these packages about each other are not the user's either.
    """
    try:
        import datasets
        import huggingface_hub.constants as hub
        import transformers
        import trl  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("train", error.name or "trl") from None
    before = hub.HF_HUB_OFFLINE, hub.HF_HUB_DISABLE_TELEMETRY
    hub.HF_HUB_OFFLINE = hub.HF_HUB_DISABLE_TELEMETRY = True
    logging: Any = transformers.logging
    spoke = logging.get_verbosity()
    bars = datasets.is_progress_bar_enabled(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    datasets.disable_progress_bars()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            for message in _NOT_OURS:
                warnings.filterwarnings("ignore", message=message, category=FutureWarning)
            yield
    finally:
        hub.HF_HUB_OFFLINE, hub.HF_HUB_DISABLE_TELEMETRY = before
        logging.set_verbosity(spoke)
        if bars[0]:
            datasets.enable_progress_bars()
        if bars[1]:
            logging.enable_progress_bar()


class Loaded:
    """A model and its tokenizer.

    `turn_ends` is the id of the token that ends a reply in the tokenizer's chat template. Of base
    models it is not their end of text, and without it a reply would never end.
    """

    def __init__(self, model: Any, tokenizer: Any, folder: Path) -> None:
        self.model, self.tokenizer, self.folder = model, tokenizer, folder
        ids = _turn_end(tokenizer)
        if ids is not None:
            tokenizer.eos_token = tokenizer.convert_ids_to_tokens(ids)
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        model.config.pad_token_id = tokenizer.pad_token_id
        model.generation_config.pad_token_id = tokenizer.pad_token_id
        model.generation_config.eos_token_id = tokenizer.eos_token_id

    def count(self, messages: list[dict[str, str]]) -> int:
        """Tokens of a conversation."""
        ids = self.tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False)
        return len(ids)


def load(folder: Path) -> Loaded:
    """A model from its folder, in bfloat16 where a GPU has it.

    Raises:
        ModelError: there is no such model, or it has no chat template.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if not (folder / "config.json").is_file():
        raise ModelError(
            f"{folder} is no folder of a model: expected config.json, weights and tokenizer in it"
        )
    half = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        # safetensors only: the older format of weights is a pickle.
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=torch.bfloat16 if half else torch.float32,
            local_files_only=True,
            use_safetensors=True,
        )
    except (OSError, ValueError, KeyError) as error:
        told = " ".join(str(error).split())
        raise ModelError(f"{folder} holds no model that can be read: {told:.200}") from error
    if tokenizer.chat_template is None:
        raise ModelError(f"{folder} has no chat template: take an instruction-tuned model")
    return Loaded(model, tokenizer, folder)


def _turn_end(tokenizer: Any) -> int | None:
    if tokenizer.chat_template is None:
        return None
    asked = [{"role": "user", "content": "a"}]
    told = [*asked, {"role": "assistant", "content": "b"}]
    text = tokenizer.apply_chat_template(told, tokenize=False)
    ids = tokenizer(text[text.rindex("b") + 1 :], add_special_tokens=False)["input_ids"]
    return ids[0] if ids and ids[0] in tokenizer.all_special_ids else None


def adapter(shape: LoraShape | None) -> Any:
    """peft's configuration of it."""
    if shape is None:
        return None
    try:
        from peft import LoraConfig
    except ImportError:
        raise MissingExtraError("train", "peft") from None
    return LoraConfig(
        r=shape.rank,
        lora_alpha=shape.alpha,
        lora_dropout=shape.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def merged(model: Any) -> Any:
    """The model with its low-rank updates added in; itself where it has none."""
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Weights and tokenizer into a folder; no pickle among them."""
    with warnings.catch_warnings():
        # It notes that the ids of special tokens were set, which `Loaded` did on purpose.
        warnings.filterwarnings("ignore", message=".*generation", category=UserWarning)
        model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
