"""The word heads: embeddings, sentences, grammar, and what the shipped weights say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.model_runs.wellness.training.corpus import TrainingDataMissing
from apps.model_runs.wellness.words import corpus, figures, grammar, heads, training
from apps.model_runs.wellness.words.embedding import SIZE, WIDTH, load_encoder
from apps.model_runs.wellness.words.fitting import fit_logistic
from apps.model_runs.wellness.words.letters import legible
from apps.model_runs.wellness.words.lexicon import CONSTRUCTS
from apps.model_runs.wellness.words.sentences import MOST_WORDS, split_sentences

MODEL = heads.load_model()


def scores(text: str) -> dict[str, float]:
    return heads.score_texts(MODEL, [text])[0]


# -- embeddings -------------------------------------------------------------------------------------------


def test_embeddings_agree_with_the_published_similarities() -> None:
    """The values of the model's own page for these sentences, from the original implementation."""
    pair = load_encoder().embed(["That is a happy person", "That is a very happy person"])
    assert pair.shape == (2, SIZE)
    last = pair[:, :WIDTH]
    assert last[0] @ last[1] == pytest.approx(0.9429, abs=2e-4)


def test_company_and_order_do_not_change_an_embedding() -> None:
    sentences = ["I am tired.", "It is late.", "We went to the shop and bought some bread.", "", "x" * 5_000]
    together = load_encoder().embed(sentences)
    alone = np.vstack([load_encoder().embed([sentence]) for sentence in sentences])
    np.testing.assert_allclose(together, alone, atol=2e-6)
    for half in (together[:, :WIDTH], together[:, WIDTH:]):
        np.testing.assert_allclose(np.linalg.norm(half, axis=1), 1, atol=1e-5)


# -- sentences --------------------------------------------------------------------------------------------


def test_punctuated_and_run_on_texts_are_cut() -> None:
    assert split_sentences("I'm fine. Are you? Yes!") == ["I'm fine.", "Are you?", "Yes!"]
    run_on = "this morning i walked to my office in town i feel so stressed about the new boss"
    assert split_sentences(run_on) == [
        "this morning i walked to my office in town", "i feel so stressed about the new boss",
    ]  # fmt: skip
    assert split_sentences("I used to be stressed but now I feel calm.") == [
        "I used to be stressed but now I feel calm."
    ]
    assert split_sentences(" ... \n !") == []


@given(st.text(max_size=400))
@settings(max_examples=50, deadline=None)
def test_no_word_is_lost_and_no_sentence_is_long(text: str) -> None:
    cut = split_sentences(text)
    assert all(len(sentence.split()) <= MOST_WORDS for sentence in cut)
    kept = [c for sentence in cut for c in sentence if c.isalnum()]
    assert kept == [c for c in legible(text) if c.isalnum()]


# -- grammar ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "construct", "expected"),
    [
        ("I am so stressed out.", "stress", "affirmed"),
        ("im so stressed out", "stress", "affirmed"),
        ("I'm not stressed about it.", "stress", "negated"),
        ("I have never been so tired.", "exhaustion", "affirmed"),
        ("I can't cope.", "stress", "affirmed"),
        ("My boss is really stressed.", "stress", "third"),
        ("My boss is stressing me out.", "stress", "affirmed"),
        ("My friend told me she feels empty inside.", "distress", "third"),
        ("My leg fell asleep.", "sleepPropensity", "idiom"),
        ("I used to be depressed but now I feel fine.", "distress", "recovered"),
        ("I used to care and now I'm drained.", "exhaustion", "affirmed"),
        ("Everyone at the office seems exhausted.", "exhaustion", "third"),
        ("Half of the team is under pressure.", "stress", "third"),
        ("Everyone hates me and I'm a burden.", "lowSelfEsteem", "affirmed"),
        ("If I were stressed I would tell you.", "stress", "supposed"),
        ("Are you tired?", "exhaustion", "supposed"),
        ("You look exhausted.", "exhaustion", "supposed"),
        ("I slept really well.", "sleepPropensity", "negated"),
        ("I'm not happy.", "distress", "affirmed"),
        ("I can't focus.", "mentalStrain", "affirmed"),
        ("I need a good night's sleep.", "sleepPropensity", "affirmed"),
        ("My anxiety has eased off.", "stress", "recovered"),
    ],
)
def test_grammar_reads(sentence: str, construct: str, expected: str) -> None:
    assert expected in grammar.read(sentence).own[construct]


def test_features_have_their_names() -> None:
    values = grammar.features(grammar.read("My sister is sad."), "distress")
    on = {name for name, value in zip(grammar.FEATURES, values, strict=True) if value}
    assert on == {"ownThird", "anyThird", "thirdOnly"}


@pytest.mark.parametrize(
    ("sentence", "of_speaker"),
    [
        ("I am so tired.", True), ("so tired", True), ("Exhausted after work.", True),
        ("The stress gives me headaches.", True), ("It was the winter of despair.", False),
        ("Nobody's mad at them for being in pain.", False),
        ("The battery is drained.", False),
    ],
)  # fmt: skip
def test_an_i_may_be_left_out_but_not_of_any_sentence(sentence: str, of_speaker: bool) -> None:
    table = grammar.features(grammar.read(sentence), "distress")[None]
    assert bool(grammar.of_speaker(table)[0]) is of_speaker


# -- heads ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("construct", "sentence"),
    [
        ("distress", "I feel so sad and hopeless, I cry every night."),
        ("stress", "I'm so stressed at work, the deadlines are piling up."),
        ("exhaustion", "I am completely exhausted, I have no energy left."),
        ("sleepPropensity", "I couldn't sleep last night and I keep yawning."),
        ("lowSelfEsteem", "I hate myself, I feel like a failure."),
        ("mentalStrain", "I can't concentrate on anything and keep forgetting things."),
    ],
)
def test_a_plain_statement_is_heard_alone_and_among_everyday_ones(construct: str, sentence: str) -> None:
    assert scores(sentence)[construct] > 0.5
    assert scores(f"I had toast for breakfast. {sentence} The bus was on time.")[construct] > 0.5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I had toast and coffee for breakfast.",
        "I'm not stressed at all.",
        "My sister is depressed.",
        "My leg fell asleep.",
        "I used to hate myself but I have learned to like who I am.",
        "The kitchen is on the left. " * 700,
    ],
)
def test_everything_else_stays_silent(text: str) -> None:
    assert max(scores(text).values()) < 0.5


def test_length_alone_tells_nothing_and_more_statements_tell_more() -> None:
    assert heads.pool(np.array([])) == -heads.LOGIT_LIMIT
    assert heads.pool(np.array([1.5])) == pytest.approx(1.5)
    assert heads.pool(np.full(400, -5.0)) == pytest.approx(heads.pool(np.full(16, -5.0)))
    assert heads.pool(np.array([2.0, 2.0, -6.0])) > heads.pool(np.array([2.0, -6.0, -6.0]))


def test_weights_survive_the_file_and_others_are_refused() -> None:
    data = json.loads(json.dumps(heads.model_to_json(MODEL)))
    again = heads.model_from_json(data)
    for name in CONSTRUCTS:
        np.testing.assert_array_equal(again.heads[name].embedding, MODEL.heads[name].embedding)
    with pytest.raises(ValueError, match="format 2"):
        heads.model_from_json(data | {"format": 2})
    with pytest.raises(ValueError, match="other grammar features"):
        heads.model_from_json(data | {"features": ["x"]})
    short = data | {"heads": data["heads"] | {"stress": data["heads"]["stress"] | {"embedding": [1.0]}}}
    with pytest.raises(ValueError, match="Head stress"):
        heads.model_from_json(short)


# -- training ---------------------------------------------------------------------------------------------


def test_the_authored_sentences_are_what_training_expects() -> None:
    examples = corpus.read_authored()
    assert len({example.text for example in examples}) == len(examples) > 2_000
    assert {example.kind for example in examples} == set(corpus.KINDS)
    for name in CONSTRUCTS:
        templates = {example.group for example in examples if example.construct == name}
        assert len(templates) > 130, name


def test_what_a_positive_says_of_other_states_is_unknown() -> None:
    by_kind = {(example.construct, example.kind): example.labels for example in corpus.read_authored()}
    assert by_kind["stress", "positive"] == {"stress": 1}
    assert by_kind["sleepPropensity", "positive"] == {"sleepPropensity": 1, "lowSelfEsteem": 0}
    assert by_kind["stress", "negated"] == dict.fromkeys(CONSTRUCTS, 0)


def test_recognised_copies_stay_in_the_fold_of_their_template() -> None:
    examples = corpus.read_authored()[:50]
    copies = list(corpus.as_recognised(examples))
    assert copies == list(corpus.as_recognised(examples))
    assert [copy.group for copy in copies] == [example.group for example in examples]
    assert all(copy.text == copy.text.lower() and "." not in copy.text for copy in copies)


def test_comments_of_several_sentences_do_not_teach_distress() -> None:
    comments = [
        corpus.Comment("I am so sad", frozenset({25})),
        corpus.Comment("I am sad. It rains.", frozenset({25})),
        corpus.Comment("Nice. Thanks!", frozenset({15})),
        corpus.Comment("You fool", frozenset({2})),
    ]
    found = corpus.everyday(comments)
    assert [example.text for example in found] == ["I am so sad", "Nice.", "Thanks!", "You fool"]
    assert found[0].labels == {"distress": 1}
    assert "distress" not in found[3].labels


def test_a_fit_is_the_minimum_wherever_it_starts() -> None:
    """There the gradient of the penalised loss is 0."""
    chance = np.random.default_rng(3)
    design = np.column_stack([chance.normal(size=(400, 5)), np.ones(400)])
    y = (chance.random(400) < 1 / (1 + np.exp(-design @ [2, -1, 0, 0, 0.5, 0.3]))).astype(float)
    weights, ridge = chance.random(400) + 0.1, np.array([0.5] * 5 + [1e-6])
    found = fit_logistic(design, y, weights, ridge)
    p = 1 / (1 + np.exp(-design @ found))
    np.testing.assert_allclose(design.T @ (weights * (p - y)) + ridge * found, 0, atol=1e-6)
    np.testing.assert_allclose(fit_logistic(design, y, weights, ridge, start=found + 0.1), found, atol=1e-7)


def test_training_learns_from_a_small_corpus_and_reports() -> None:
    """Some of our sentences stand for the corpus; a stand-in for the comments is neutral but for one word."""
    authored = corpus.read_authored()[::32]
    calm = [
        corpus.Comment(f"The {thing} costs {price} pounds.", frozenset({27}))
        for thing in ("lamp", "book")
        for price in range(20)
    ]
    sad = [
        corpus.Comment(f"I am so sad about the {thing}.", frozenset({25})) for thing in ("dog", "news", "war", "cat")
    ]
    told: list[str] = []
    model, found = training.train(authored, calm + sad, calm + sad, training.embed_in_threads, told.append)
    assert len(told) == 1 + len(CONSTRUCTS)
    assert found["distressComments"]["auc"] > 0.9
    assert found["distressComments"]["aucLength"] > 0.9  # these sad comments are the longer ones
    assert set(found["neutralParagraphs"]["falseAlarms"]) == set(CONSTRUCTS)
    for name in CONSTRUCTS:
        assert found["separation"][name]["auc"] > found["separation"][name]["aucLength"]
        share = found["heldOutTemplates"][name]["positive"]
        assert share["low"] <= share["share"] <= share["high"]
    again = heads.model_from_json(heads.model_to_json(model))
    for name, head in again.heads.items():
        np.testing.assert_array_equal(head.embedding, model.heads[name].embedding)
    assert (
        heads.score_texts(again, ["I feel so sad."])[0]["distress"]
        > heads.score_texts(again, ["A book."])[0]["distress"]
    )
    assert "AUC of keywords" in figures.report(found)
    second, _ = training.train(authored, calm + sad, calm + sad, training.embed_in_threads)
    assert heads.model_to_json(second) == heads.model_to_json(model)


def test_missing_training_data_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataMissing, match=r"goemotions_train\.tsv is missing"):
        corpus.read_comments(tmp_path, "train")
