"""A language model of 100,000 weights with its own tokenizer, and log tasks that it can learn in a
minute: which of three lines tells of a fault, and the words of it.

Whether a line is new is settled by its words: pairs of a part and a state whose numbers add up to a
multiple of 5 are seen in held-out items only, there in every cited line.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from logwright.reasoning.answer import Citation
from logwright.reasoning.building.trajectories import Trajectory, mark
from logwright.reasoning.strategies import for_task
from logwright.reasoning.task import Task
from logwright.reasoning.training.examples import answer_example, plan_example

PARTS = [
    *("disk", "fan", "port", "link", "node", "card", "bank", "core", "pump", "rack", "bus", "cell"),
    *("drive", "lane", "mesh", "probe", "relay", "ring", "shelf", "slot", "spool", "tray", "zone"),
]
GOOD = ["ready", "online", "idle", "normal", "synced", "warm", "open", "clean"]
BAD = ["failed", "burnt", "jammed", "stalled"]
STATES = GOOD + BAD

# A model this small has no room for instructions: of a question it is shown the first two letters,
# which tell the tasks apart, and the fenced lines.
TEMPLATE = """
{%- for m in messages -%}
{%- if m['role'] == 'user' -%}
{{ '<s>' + m['content'][:2] + '\\n' }}
{%- for block in m['content'].split('<<<LOG ')[1:2] -%}
{%- for line in block.split('\\nLOG ')[0].split('\\n')[1:] -%}
{{ line[2:] + '\\n' }}
{%- endfor -%}
{%- endfor -%}
{{ '</s>' }}
{%- elif m['role'] == 'assistant' -%}
{{ '<s>' + m['content'] + '</s>' }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<s>' }}{%- endif -%}"""


def items(
    many: int, seed: int, part: str = "train", planned: bool = False, sloppy: float = 0.0
) -> list[Trajectory]:
    """So many; half of them abnormal, two in three of what is asked is an anomaly. Those that are
    `planned` name a strategy: which one follows from whether something is abnormal. A `sloppy`
    share has a reasoning that quotes the words of another line than it names."""
    rng = random.Random(f"{part} {seed}")
    return [_item(rng, n, part, planned, sloppy) for n in range(many)]


def _item(rng: random.Random, number: int, part: str, planned: bool, sloppy: float) -> Trajectory:
    held = part != "train"
    bad = rng.random() < 0.5
    told = rng.randrange(3) + 1
    lines = [_line(rng, GOOD, held=False) for _ in range(3)]
    lines[told - 1] = _line(rng, BAD if bad else GOOD, held)
    told = told if bad else 1
    quote = lines[told - 1]
    if not bad and held:
        quote = lines[0] = _line(rng, GOOD, held)
    task = Task.FAILURE if rng.random() < 1 / 3 else Task.ANOMALY
    if rng.random() < sloppy:
        quote = next(line for line in reversed(lines) if line != quote)
    cited = Citation(line=told, quote=quote)
    ways = for_task(Task.ANOMALY)
    return Trajectory(
        task=task,
        strategy=ways[bad].name if planned else "",
        system="made",
        time=number,
        lines=tuple(lines),
        reasoning=f"it says {mark(cited)}",
        answer=task.verdicts[0 if bad else 1],
        form="verdict",
        citations=(cited,),
        teacher="evidence",
        source=f"made:{number}",
        part=part,
    )


def _line(rng: random.Random, states: list[str], held: bool) -> str:
    while True:
        part, state = rng.choice(PARTS), rng.choice(states)
        new = (PARTS.index(part) + STATES.index(state)) % 5 == 0
        if new == held:
            return f"{part} {state}"


def make(folder: Path, seed: int = 0, width: int = 64, layers: int = 2) -> Path:
    """A model that knows nothing, saved with its tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = _tokenizer()
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = LlamaForCausalLM(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer() -> Any:
    """Words, spaces and signs are tokens of their own, so text comes back letter for letter."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    cut = pre_tokenizers.Split(Regex(r"</?[a-z]+>|\w+|\s|[^\w\s]"), "isolated")
    seen = items(200, 0, planned=True)
    texts = [
        message["content"]
        for item in seen
        for example in (plan_example(item), answer_example(item))
        for message in example.whole
    ]
    texts += [" ".join([*PARTS, *STATES, *map(str, range(10)), "Is Ma Wi"]), "\n"]
    texts.append(
        "This does not hold: line 1 does not say 'a'; no line is cited; there is no line 2"
    )
    texts.append(
        "the answer is not right has not the form that was asked for: <think>, Answer again."
    )
    words = sorted({piece for text in texts for piece, _ in cut.pre_tokenize_str(text)})
    special = ["<pad>", "<unk>", "<s>", "</s>"]
    vocabulary = {word: n for n, word in enumerate(dict.fromkeys(special + words))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = cut
    tokenizer.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        unk_token="<unk>",
        eos_token="</s>",
        additional_special_tokens=["<s>"],
        chat_template=TEMPLATE,
        clean_up_tokenization_spaces=False,
    )
