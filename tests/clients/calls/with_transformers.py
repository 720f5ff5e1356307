"""Runs in the environment that has ``transformers`` and ``torch``."""

from __future__ import annotations

import sys

import torch
import with_hub
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoTokenizer, pipeline

torch.set_num_threads(1)


def load(repo, **more):
    """Load a model and its tokenizer, and let them meet."""
    config = AutoConfig.from_pretrained(repo, **more)
    tokenizer = AutoTokenizer.from_pretrained(repo, **more)
    model = AutoModel.from_pretrained(repo, **more)
    tokens = tokenizer("A lamp, 一盏灯", return_tensors="pt")
    with torch.no_grad():
        seen = model(**tokens).last_hidden_state
    return {
        "type": config.model_type,
        "dtype": str(model.dtype),
        "finite": bool(torch.isfinite(seen).all()),
        "back": tokenizer.decode(tokens["input_ids"][0], skip_special_tokens=True),
    }


def load_all(repos):
    """Load one model after another."""
    return [load(repo) for repo in repos]


def try_cards(texts, start):
    """Do what the cards of the demo show."""
    classify = pipeline("text-classification", model="linxia/stall-intents")
    tell = pipeline("text-generation", model="open-bazaar/market-tales")
    told = tell(start, max_new_tokens=20, do_sample=False)
    labels = [each["label"] for each in classify(texts)]
    return {"labels": labels, "told": told[0]["generated_text"]}


def push(source, target):
    """Change a model a little, push it, and read it back from the hub."""
    model = AutoModelForCausalLM.from_pretrained(source)
    tokenizer = AutoTokenizer.from_pretrained(source)
    with torch.no_grad():
        model.model.norm.weight.add_(0.5)
    model.push_to_hub(target)
    tokenizer.push_to_hub(target)
    again = AutoModelForCausalLM.from_pretrained(target)
    return bool(torch.equal(again.model.norm.weight, model.model.norm.weight))


if __name__ == "__main__":
    with_hub.main(*sys.argv[1:], more=globals())
