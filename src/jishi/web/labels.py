"""Words of cards that everybody uses, as people read them; addresses keep them as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from babel.core import Locale

from jishi.core.i18n import N_, translate

TASKS: Final[Mapping[str, str]] = {
    "any-to-any": N_("Any to any"),
    "audio-classification": N_("Audio classification"),
    "audio-text-to-text": N_("Audio and text to text"),
    "audio-to-audio": N_("Audio to audio"),
    "automatic-speech-recognition": N_("Speech recognition"),
    "depth-estimation": N_("Depth estimation"),
    "document-question-answering": N_("Document question answering"),
    "feature-extraction": N_("Feature extraction"),
    "fill-mask": N_("Fill mask"),
    "graph-ml": N_("Graph learning"),
    "image-classification": N_("Image classification"),
    "image-feature-extraction": N_("Image feature extraction"),
    "image-segmentation": N_("Image segmentation"),
    "image-text-to-image": N_("Image and text to image"),
    "image-text-to-text": N_("Image and text to text"),
    "image-text-to-video": N_("Image and text to video"),
    "image-to-3d": N_("Image to 3D"),
    "image-to-image": N_("Image to image"),
    "image-to-text": N_("Image to text"),
    "image-to-video": N_("Image to video"),
    "keypoint-detection": N_("Keypoint detection"),
    "mask-generation": N_("Mask generation"),
    "multiple-choice": N_("Multiple choice"),
    "object-detection": N_("Object detection"),
    "question-answering": N_("Question answering"),
    "reinforcement-learning": N_("Reinforcement learning"),
    "robotics": N_("Robotics"),
    "sentence-similarity": N_("Sentence similarity"),
    "summarization": N_("Summarisation"),
    "table-question-answering": N_("Table question answering"),
    "table-to-text": N_("Table to text"),
    "tabular-classification": N_("Tabular classification"),
    "tabular-regression": N_("Tabular regression"),
    "tabular-to-text": N_("Tabular to text"),
    "text-classification": N_("Text classification"),
    "text-generation": N_("Text generation"),
    "text-ranking": N_("Text ranking"),
    "text-retrieval": N_("Text retrieval"),
    "text-to-3d": N_("Text to 3D"),
    "text-to-audio": N_("Text to audio"),
    "text-to-image": N_("Text to image"),
    "text-to-speech": N_("Text to speech"),
    "text-to-video": N_("Text to video"),
    "text2text-generation": N_("Text-to-text generation"),
    "time-series-forecasting": N_("Time series forecasting"),
    "token-classification": N_("Token classification"),
    "translation": N_("Translation"),
    "unconditional-image-generation": N_("Unconditional image generation"),
    "video-classification": N_("Video classification"),
    "video-text-to-text": N_("Video and text to text"),
    "video-to-video": N_("Video to video"),
    "visual-document-retrieval": N_("Visual document retrieval"),
    "visual-question-answering": N_("Visual question answering"),
    "voice-activity-detection": N_("Voice activity detection"),
    "zero-shot-classification": N_("Zero-shot classification"),
    "zero-shot-image-classification": N_("Zero-shot image classification"),
    "zero-shot-object-detection": N_("Zero-shot object detection"),
}
"""What the public hubs call pipeline tags and task categories."""
MODALITIES: Final[Mapping[str, str]] = {
    "3d": N_("3D"),
    "audio": N_("Audio"),
    "document": N_("Documents"),
    "geospatial": N_("Geospatial"),
    "image": N_("Pictures"),
    "tabular": N_("Tables"),
    "text": N_("Text"),
    "timeseries": N_("Time series"),
    "video": N_("Video"),
}
OTHER_LICENCE: Final = N_("other licence")
UNKNOWN_LICENCE: Final = N_("licence unknown")
MULAN: Final = N_("Mulan PSL 2")
MANY_LANGUAGES: Final = N_("several languages")

FIELDS: Final[Mapping[str, str]] = {
    "base_model:adapter": N_("adapter of %(base)s"),
    "base_model:finetune": N_("fine-tune of %(base)s"),
    "base_model:merge": N_("merged from %(base)s"),
    "base_model:quantized": N_("quantised from %(base)s"),
    "base_model": N_("base: %(base)s"),
    "dataset": N_("dataset: %(base)s"),
    "size_categories": N_("size: %(base)s"),
}
"""Beginnings of tags and what to say of the rest."""

_SDKS: Final[Mapping[str, str]] = {
    "docker": "Docker",
    "gradio": "Gradio",
    "static": N_("static page"),
    "streamlit": "Streamlit",
}
_LICENCES: Final[Mapping[str, str]] = {
    "bsd-2-clause": "BSD 2-Clause",
    "bsd-3-clause": "BSD 3-Clause",
    "bsd-3-clause-clear": "BSD 3-Clause Clear",
    "mit": "MIT",
    "isc": "ISC",
    "mulanpsl-2.0": MULAN,
    "other": OTHER_LICENCE,
    "unknown": UNKNOWN_LICENCE,
}
_FAMILY: Final = re.compile(r"(cc0?|[al]?gpl|gfdl|bsd|mpl|epl|eupl|osl|ofl|ecl|afl|bsl)(-.+)?")


def task(text: str, locale: str) -> str:
    """Say what a repository is for, or made with; a word we do not know stays as it is."""
    known = TASKS.get(text) or _SDKS.get(text) or MODALITIES.get(text)
    return translate(known, locale) if known else text


def licence(text: str, locale: str) -> str:
    """Say the identifier of a licence: ``cc-by-nc-4.0`` is CC BY-NC 4.0."""
    if text in _LICENCES:
        return translate(_LICENCES[text], locale)
    family = _FAMILY.fullmatch(text)
    if family is not None:
        return _spaced(f"{family[1].upper()}{(family[2] or '').upper()}")
    return _spaced(text.replace("apache-", "Apache-")) if text.startswith("apache-") else text


def language(text: str, locale: str) -> str:
    """Say the code of a language."""
    if text == "multilingual":
        return translate(MANY_LANGUAGES, locale)
    if not _CODE.fullmatch(text):
        return text
    named: str | None = Locale.parse(locale, sep="-").languages.get(text)
    return named or text


def tag(text: str, locale: str, languages: tuple[str, ...] = ()) -> str:
    """Say a tag of a list.

    Args:
        languages: Bare tags that are codes of languages; ``ml`` may also be somebody's word.
    """
    for start, said in FIELDS.items():
        rest = text.removeprefix(f"{start}:")
        if rest != text:
            return translate(said, locale) % {"base": rest}
    field, _, rest = text.partition(":")
    match field:
        case "license":
            return licence(rest, locale)
        case "language":
            return language(rest, locale)
        case "task_categories" | "task_ids":
            return task(rest, locale)
        case "modality":
            return translate(MODALITIES[rest], locale) if rest in MODALITIES else rest
        case _:
            return language(text, locale) if text in languages else task(text, locale)


def _spaced(text: str) -> str:
    """Put a space before the version, and after CC."""
    spaced = re.sub(r"-(?=\d+(\.\d+)*$)", " ", text)
    return re.sub(r"^CC-", "CC ", spaced)


_CODE: Final = re.compile("[a-z]{2,3}")
