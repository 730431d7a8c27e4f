"""A tiny GPT-Neo checkpoint with a tokenizer, made here, as Hugging Face would hold it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from logwright.sequence.presets import Preset, preset
from logwright.sequence.vocabulary import EventVocabulary

TEXTS = [
    "Receiving block <*> src: <*> dest: <*>",
    "Deleting block <*> file <*>",
    "PacketResponder <*> for block <*> terminating",
    "instruction cache parity error corrected",
    "<*>",
]
POSITIONS, WINDOW = 24, 5


def events() -> EventVocabulary:
    """Five events, of which the last has no words."""
    return EventVocabulary([f"e{at}" for at in range(len(TEXTS))], TEXTS)


def shape(**changes: Any) -> Preset:
    """The preset with reaches that sessions of a test exceed."""
    small = {"reach_global": 8, "reach_local": 4, "piece": 32, "batch": 256, "accumulate": 1}
    small |= {"steps": 40, "warmup": 4, "every": 10, "rate": 2e-2}
    return replace(preset("neo-1.3b"), **(small | changes))


def checkpoint(folder: Path, seed: int = 0, **changes: Any) -> Path:
    """Save a GPT-Neo of four small layers and its tokenizer in a folder."""
    import tokenizers
    import torch
    import transformers

    folder.mkdir(parents=True, exist_ok=True)
    encoding = tokenizers.ByteLevelBPETokenizer()
    encoding.train_from_iterator(
        TEXTS * 4,
        vocab_size=320,
        min_frequency=1,
        special_tokens=["<|endoftext|>"],
        show_progress=False,
    )
    encoding.save_model(str(folder))
    config = transformers.GPTNeoConfig(
        vocab_size=encoding.get_vocab_size(),
        max_position_embeddings=POSITIONS,
        hidden_size=16,
        num_layers=4,
        num_heads=2,
        attention_types=[[["global", "local"], 2]],
        window_size=WINDOW,
        bos_token_id=0,
        eos_token_id=0,
    )
    for name, value in changes.items():
        setattr(config, name, value)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = transformers.GPTNeoForCausalLM(config)
        # At .02, as it is drawn, attention is nearly even and a wrong mask would go unnoticed.
        for name, number in model.named_parameters():
            if "attention" in name or "wpe" in name or "wte" in name:
                torch.nn.init.normal_(number, std=0.5)
    transformers.utils.logging.disable_progress_bar()
    model.save_pretrained(folder)
    transformers.utils.logging.enable_progress_bar()
    return folder
