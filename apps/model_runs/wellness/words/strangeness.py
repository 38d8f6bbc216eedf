"""Whether a transcript reads like what somebody said, or like what a recogniser made of something else."""

from __future__ import annotations

import re

from apps.model_runs.wellness.words.embedding import load_encoder

# Chosen beside 1,265 paragraphs of four written comments each.
FEWEST_WORDS = 20  # with fewer the shares below are chance
DISTINCT_SHARE = 0.75  # of runs of four words; comments .97 and more, a rhetorical chant .78, invented text .5
SPLIT_SHARE = 0.15  # of words outside a vocabulary of 30,000 pieces; more in 1.5 % of the comments, nicknames and all


def reads_strangely(text: str) -> bool:
    """Whether a text says the same again and again or is full of unknown words, as a recogniser of English often writes
    that hears another language. A foreign language that it turns into varied English passes unseen."""
    words = re.findall(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*", text.lower())
    if len(words) < FEWEST_WORDS:
        return False
    runs = list(zip(words, words[1:], words[2:], words[3:], strict=False))
    if len(set(runs)) < DISTINCT_SHARE * len(runs):
        return True
    plain = [word for word in words if word.isalpha()]
    pieces = load_encoder().tokenizer.encode_batch(plain, add_special_tokens=False)
    return sum(len(piece.ids) > 1 for piece in pieces) > SPLIT_SHARE * len(words)
