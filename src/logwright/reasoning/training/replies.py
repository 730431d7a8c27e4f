"""What a model replies to conversations, many at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from logwright.reasoning.training.libraries import Loaded

__all__ = ["Messages", "replies"]

Messages = list[dict[str, str]]

Progress = Callable[[int, int], None]


def replies(
    loaded: Loaded,
    conversations: Sequence[Messages],
    most_tokens: int,
    batch: int = 16,
    temperature: float = 0.0,
    seed: int = 0,
    model: Any = None,
) -> list[str]:
    """The reply to each conversation, in order; the likeliest words where `temperature` is 0, else
    drawn, the same for the same seed."""
    import torch

    network = loaded.model if model is None else model
    tokenizer = loaded.tokenizer
    texts = [
        tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        for messages in conversations
    ]
    # Alike in length, so that little of a batch is filling.
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    found = [""] * len(texts)
    was_training, cached = network.training, network.config.use_cache
    network.eval()
    network.config.use_cache = True
    side, tokenizer.padding_side = tokenizer.padding_side, "left"
    drawing: dict[str, Any] = {"do_sample": False, "temperature": None, "top_p": None}
    if temperature > 0:
        drawing = {"do_sample": True, "temperature": temperature, "top_p": 1.0}
    try:
        with torch.no_grad(), torch.random.fork_rng(_devices(network)):
            torch.manual_seed(seed)
            for begin in range(0, len(order), batch):
                part = order[begin : begin + batch]
                given = tokenizer(
                    [texts[i] for i in part],
                    return_tensors="pt",
                    padding=True,
                    add_special_tokens=False,
                ).to(network.device)
                ids = given["input_ids"]
                out = network.generate(
                    input_ids=ids,
                    attention_mask=given["attention_mask"],
                    max_new_tokens=most_tokens,
                    top_k=0 if temperature > 0 else None,
                    pad_token_id=tokenizer.pad_token_id,
                    eos_token_id=tokenizer.eos_token_id,
                    **drawing,
                )
                for i, row in zip(part, out[:, ids.shape[1] :], strict=True):
                    found[i] = tokenizer.decode(row, skip_special_tokens=True)
    finally:
        tokenizer.padding_side = side
        network.config.use_cache = cached
        network.train(was_training)
    return found


def _devices(network: Any) -> list[Any]:
    return [network.device] if network.device.type == "cuda" else []
