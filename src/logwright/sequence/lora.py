"""LoRA: fine-tune a `NeoNetwork` by small matrices beside the large ones, with `peft`.

The backbone's weights and its table of words stay as they are, in bf16 where memory is dear. What
learns is, for each of the backbone's linear layers, a product of two thin matrices that is added to
it, and everything of the events' own: their part of the embedding, their biases, the gaps. For
GPT-Neo 1.3B at rank 16 that is 14 million numbers and 2,048 per event instead of 1,316 million, and
the state of the optimiser shrinks with it: .1 GB instead of 10.5.

    add(network, rank=16, half=True)     before training
    pretrain(...)
    fold_in(network)                     after it: the products are added, the layers plain again
"""

from __future__ import annotations

import torch
from torch import Tensor

from logwright.errors import MissingExtraError, SettingsError
from logwright.sequence.neo import NeoNetwork

__all__ = ["LAYERS", "add", "fold_in", "learning", "restore"]

LAYERS = ("q_proj", "k_proj", "v_proj", "out_proj", "c_fc", "c_proj")
"""GPT-Neo's linear layers, all of them: few events a step leave little to spare elsewhere."""


def add(network: NeoNetwork, rank: int = 16, seed: int = 0, half: bool = False) -> int:
    """Put the thin matrices in and freeze the rest; `half` keeps the frozen in bf16. The network
    computes what it did before, to the rounding of `half`. Gives how many numbers learn."""
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError:
        raise MissingExtraError("train", "peft") from None
    if not 1 <= rank <= network.preset.width:
        raise SettingsError(
            f"the rank of LoRA is {rank}: it has to be from 1 to the backbone's width, "
            f"{network.preset.width}"
        )
    if any("lora_" in name for name, _ in network.named_parameters()):
        raise SettingsError("the network has LoRA already: fold it in first")
    if half:
        network.body.to(torch.bfloat16)
    own = {id(number) for name, number in network.named_parameters() if "." not in name}
    network.tokens.requires_grad_(False)
    # A scale of 2 whatever the rank, the common choice; the rate of learning does the rest.
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=list(LAYERS))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        inject_adapter_in_model(config, network.body)
    count = 0
    for name, number in network.named_parameters():
        if "lora_" in name:
            # Steps of 1e-5 and less vanish in bf16.
            number.data = number.data.float()
        elif id(number) not in own:
            number.requires_grad_(False)
        count += number.numel() if number.requires_grad else 0
    return count


def fold_in(network: NeoNetwork) -> None:
    """Add the products to the matrices they stand beside, and leave plain layers behind, all of
    which can learn again. A network without LoRA stays as it is."""
    for path, layer in list(network.body.named_modules()):
        if not hasattr(layer, "lora_A"):
            continue
        layer.merge(safe_merge=True)
        parent, _, name = path.rpartition(".")
        setattr(network.body.get_submodule(parent), name, layer.get_base_layer())
    network.requires_grad_(True)


def learning(network: NeoNetwork) -> dict[str, Tensor]:
    """What learns, by name: what a checkpoint of a LoRA run has to hold, a hundredth of it all."""
    return {
        name: number.detach() for name, number in network.named_parameters() if number.requires_grad
    }


def restore(network: NeoNetwork, held: dict[str, Tensor]) -> None:
    """Put back what `learning` gave, into a network of the same rank and vocabulary."""
    numbers = dict(network.named_parameters())
    wanted = {name: number.shape for name, number in numbers.items() if number.requires_grad}
    if wanted != {name: number.shape for name, number in held.items()}:
        raise SettingsError(
            "what was learned by LoRA does not fit this network: it had another rank, "
            "another backbone or other events"
        )
    with torch.no_grad():
        for name, number in held.items():
            numbers[name].copy_(number)
