"""Train the three demo models, bit for bit the same on every x86-64 machine.

    python train.py tales OUT             the base model, from tales and a grammar in text/
    python train.py haggling OUT TALES    a fine-tune of it on dialogues; TALES: the base's folder
    python train.py intents OUT           a classifier of customers' messages
    python train.py messages OUT          the data set that the classifier learns from

Needs torch 2.13.0 (CPU) and transformers 5; each takes less than a minute on one core.  The same
bytes come out because everything that could differ is pinned: one thread, the plain kernels of
ATen, the compatible mode of MKL, no oneDNN, fixed seeds, and sampling by Python's own generator.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tomllib
from pathlib import Path

PINNED = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_CBWR": "COMPATIBLE",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
}
"""Read by the libraries while they load, so they must be set before the first import."""
if __name__ == "__main__" and any(os.environ.get(key) != value for key, value in PINNED.items()):
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **PINNED})

import torch
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import (
    AutoModelForCausalLM,
    BertConfig,
    BertForSequenceClassification,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

TEXT = Path(__file__).resolve().parent / "text"
END = "<|end|>"
SEED = 20251101
BLOCK_TOKENS = 96
BATCH_BLOCKS = 4


def grammar_sentences(language: str, count: int) -> list[str]:
    """Fill patterns of the grammar at random; the same sentences every time."""
    rules = tomllib.loads((TEXT / "grammar.toml").read_text(encoding="utf-8"))[language]
    dice = random.Random(f"{SEED}{language}")
    sentences = []
    for _ in range(count):
        words = {slot: dice.choice(rules[slot]) for slot in sorted(rules) if slot != "patterns"}
        sentence = dice.choice(rules["patterns"]).format(**words)
        sentences.append(sentence[0].upper() + sentence[1:])
    return sentences


def paragraphs(*names: str) -> list[str]:
    """Read blocks divided by empty lines; in a dialogue every line is one, ``|`` divides turns."""
    found: list[str] = []
    for name in names:
        text = (TEXT / name).read_text(encoding="utf-8").strip()
        if name.startswith("haggling"):
            found += [line.replace(" | ", "\n") for line in text.split("\n")]
        else:
            found += text.split("\n\n")
    return found


def tales() -> list[str]:
    """The corpus of the base model: our tales eight times among many sentences of the grammar."""
    corpus = paragraphs("tales.en.txt", "tales.zh.txt") * 8
    corpus += grammar_sentences("en", 2500) + grammar_sentences("zh", 1500)
    random.Random(SEED).shuffle(corpus)
    return corpus


def dialogues() -> list[str]:
    """The corpus of the fine-tune: haggling, and some sentences so that nothing is forgotten."""
    corpus = paragraphs("haggling.en.txt", "haggling.zh.txt") * 12
    corpus += grammar_sentences("en", 150) + grammar_sentences("zh", 100)
    random.Random(SEED + 1).shuffle(corpus)
    return corpus


def byte_pair_tokenizer(corpus: list[str]) -> PreTrainedTokenizerFast:
    """Learn 1 280 byte pairs, so that English and Chinese share one small table."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=1280, special_tokens=[END], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(corpus, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=END,
        eos_token=END,
        pad_token=END,
        model_max_length=256,
        model_input_names=["input_ids", "attention_mask"],
    )


def blocks(tokenizer: PreTrainedTokenizerFast, corpus: list[str]) -> torch.Tensor:
    """Join the corpus into one line of tokens and cut it into rows of equal length."""
    line: list[int] = []
    for text in corpus:
        line += [tokenizer.bos_token_id, *tokenizer(text)["input_ids"]]
    rows = len(line) // BLOCK_TOKENS
    return torch.tensor(line[: rows * BLOCK_TOKENS]).view(rows, BLOCK_TOKENS)


def learn(model: torch.nn.Module, batches: list[dict[str, torch.Tensor]], rate: float) -> None:
    """One pass over ``batches`` with AdamW, warm-up and a straight way down to zero."""
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.97), foreach=False)
    steps = len(batches)
    warm = max(1, steps // 20)
    for step, batch in enumerate(batches):
        share = min((step + 1) / warm, (steps - step) / (steps - warm))
        optimiser.param_groups[0]["lr"] = rate * share
        loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=False)
        optimiser.step()
        optimiser.zero_grad()
        if step % 100 == 0 or step == steps - 1:
            print(f"step {step + 1}/{steps}: loss {loss.item():.3f}", file=sys.stderr)


def text_batches(rows: torch.Tensor, steps: int) -> list[dict[str, torch.Tensor]]:
    """Draw rows without repeating one before all were drawn."""
    dice = random.Random(SEED)
    order: list[int] = []
    while len(order) < steps * BATCH_BLOCKS:
        order += dice.sample(range(len(rows)), len(rows))
    chosen = (rows[order[at * BATCH_BLOCKS : (at + 1) * BATCH_BLOCKS]] for at in range(steps))
    return [{"input_ids": batch, "labels": batch} for batch in chosen]


def save(model: torch.nn.Module, tokenizer: PreTrainedTokenizerFast, out: Path) -> None:
    """Write weights as bfloat16 safetensors, with the tokenizer beside them."""
    model.to(torch.bfloat16).save_pretrained(out)
    tokenizer.save_pretrained(out)
    notes = out / "tokenizer_config.json"  # transformers 4 knows the class by its older name only
    text = notes.read_text(encoding="utf-8")
    notes.write_text(text.replace("TokenizersBackend", "PreTrainedTokenizerFast"), encoding="utf-8")


def train_tales(out: Path) -> None:
    """Train the base model from nothing."""
    corpus = tales()
    tokenizer = byte_pair_tokenizer(corpus)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=80,
        intermediate_size=216,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=256,
        tie_word_embeddings=True,
        initializer_range=0.08,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        attn_implementation="eager",
    )
    model = LlamaForCausalLM(config)
    learn(model, text_batches(blocks(tokenizer, corpus), 400), rate=8e-3)
    save(model, tokenizer, out)


def train_haggling(out: Path, base: Path) -> None:
    """Go on from the weights that are published, not from those in memory."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(
        base, dtype=torch.float32, attn_implementation="eager"
    )
    learn(model, text_batches(blocks(tokenizer, dialogues()), 200), rate=3e-3)
    save(model, tokenizer, out)


def messages() -> dict[str, list[dict[str, str]]]:
    """Make the data set: customers' messages with what they want, split for training and test."""
    rules = tomllib.loads((TEXT / "messages.toml").read_text(encoding="utf-8"))
    dice = random.Random(SEED)
    rows: dict[str, dict[str, str]] = {}
    for language, part in rules.items():
        for intent, patterns in part["patterns"].items():
            for _ in range(140):
                words = {slot: dice.choice(part["words"][slot]) for slot in sorted(part["words"])}
                text = dice.choice(patterns).format(**words)
                rows[text] = {"text": text, "intent": intent, "language": language}
    shuffled = list(rows.values())
    dice.shuffle(shuffled)
    cut = len(shuffled) * 9 // 10
    return {"train": shuffled[:cut], "test": shuffled[cut:]}


def write_messages(out: Path) -> None:
    """Write the data set as one JSON object a line."""
    out.mkdir(parents=True, exist_ok=True)
    for split, rows in messages().items():
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        (out / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")


def character_tokenizer(corpus: list[str]) -> PreTrainedTokenizerFast:
    """One token for each Chinese character and each English word that occurs.

    The vocabulary is counted here: the library's trainer breaks ties in no fixed order.
    """
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    normalizer = normalizers.BertNormalizer(lowercase=True)
    splitter = pre_tokenizers.BertPreTokenizer()
    words = set()
    for text in corpus:
        words |= {word for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text))}
    vocabulary = {word: at for at, word in enumerate([*special, *sorted(words)])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = splitter
    tokenizer.decoder = decoders.WordPiece()
    first, last = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", last), ("[CLS]", first))
    names = ("pad", "unk", "cls", "sep", "mask")
    roles = {f"{name}_token": word for name, word in zip(names, special, strict=True)}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **roles)


def train_intents(out: Path) -> None:
    """Train the classifier, and say how many messages it had never seen it gets right."""
    splits = messages()
    intents = sorted({row["intent"] for row in splits["train"]})
    tokenizer = character_tokenizer([row["text"] for row in splits["train"]])
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=80,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=160,
        max_position_embeddings=64,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        id2label=dict(enumerate(intents)),
        label2id={intent: at for at, intent in enumerate(intents)},
        attn_implementation="eager",
    )

    def batch(rows: list[dict[str, str]]) -> dict[str, torch.Tensor]:
        labels = torch.tensor([intents.index(row["intent"]) for row in rows])
        texts = [row["text"] for row in rows]
        return {**tokenizer(texts, padding=True, return_tensors="pt"), "labels": labels}

    model = BertForSequenceClassification(config)
    dice = random.Random(SEED)
    batches = [batch(dice.sample(splits["train"], 32)) for _ in range(140)]
    learn(model, batches, rate=2e-3)
    model.eval()
    with torch.no_grad():
        test = batch(splits["test"])
        right = (model(**test).logits.argmax(-1) == test["labels"]).float().mean().item()
    print(f"right on {len(splits['test'])} unseen messages: {right:.1%}", file=sys.stderr)
    save(model, tokenizer, out)


def main(what: str, out: str, *more: str) -> None:
    """Pin what can be pinned from inside, then do one of the four things."""
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    torch.backends.mkldnn.enabled = False
    torch.use_deterministic_algorithms(mode=True)
    torch.manual_seed(SEED)
    work = {
        "tales": train_tales,
        "haggling": train_haggling,
        "intents": train_intents,
        "messages": write_messages,
    }
    work[what](Path(out), *map(Path, more))


if __name__ == "__main__":
    main(*sys.argv[1:])
