"""Other columns, labels and scales: understood, or refused with the option that helps."""

import io
import itertools
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classifier.data.reviews import Reviews, load_reviews
from classifier.data.schema import Schema
from classifier.errors import ClassifierError

WORDS = "мост лето гора море свет окно песня город снег река"
TEXTS = [f"Кино: {a} и {b}" for a, b in itertools.product(WORDS.split(), repeat=2) if a != b][:60]
RATINGS = [(1, 6, 9)[index % 3] for index in range(60)]  # of 10
CLASSES = ("Bad", "Neutral", "Good")


def load(folder: Path, schema: Schema | None = None, **columns: list[Any]) -> Reviews:
    path = folder / "a.jsonl"
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")
    return load_reviews(str(path), schema=schema or Schema())


def cycled(*values: Any) -> list[Any]:
    return [values[index % len(values)] for index in range(60)]


@pytest.mark.parametrize(
    "labels",
    [
        ("negative", "neutral", "positive"),
        ("NEG", "Neu", "Pos"),
        ("плохой", "Нейтральный", "ХОРОШИЙ"),
        ("отрицательно", "нейтрально", "положительно"),
        (-1, 0, 1),
        ("-1", "0", "+1"),
        (-1.0, 0.0, 1.0),
        (" bad", "neutral ", "Good\n"),
    ],
)
def test_usual_labels_are_understood(tmp_path: Path, labels: tuple[Any, ...]) -> None:
    found = load(tmp_path, content=TEXTS, grade3=cycled(*labels))
    assert list(found.rows["sentiment"]) == cycled(0, 1, 2)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (("negative", "meh", "positive"), "labels (grade3) of no known class: 'meh' in 20 rows"),
        (("A", "B", "C"), "of no known class: 'A' in 20 rows, 'B' in 20 rows, 'C' in 20 rows"),
        ((0, 1, 2), "of no known class: 2 in 20 rows"),
        ((0, 1, 0), "has numbers as labels (grade3: 0, 1), which may mean anything"),
        ((1, 2, 3), "has numbers as labels"),
        ((True, False, True), "of no known class: True in 40 rows"),
        (("LABEL_0", "LABEL_1", "LABEL_2"), "of no known class: 'LABEL_0' in 20 rows"),
    ],
)
def test_other_labels_are_refused_with_the_option(
    tmp_path: Path, labels: tuple[Any, ...], said: str
) -> None:
    for ratings in (cycled(None), RATINGS):
        with pytest.raises(ClassifierError) as raised:
            load(tmp_path, content=TEXTS, grade3=cycled(*labels), grade10=ratings)
        assert said in str(raised.value) or "numbers as labels" in str(raised.value)
        assert "--labels " in str(raised.value)
    names = dict.fromkeys(labels)
    own = ",".join(f"{name}={CLASSES[index]}" for index, name in enumerate(names))
    found = load(tmp_path, Schema(labels=own), content=TEXTS, grade3=cycled(*labels))
    assert len(found.rows) == 60


def test_a_label_can_be_left_out(tmp_path: Path) -> None:
    grades = cycled("Good", "Bad", "unclear")
    found = load(tmp_path, Schema(labels="unclear="), content=TEXTS, grade3=grades)
    assert (len(found.rows), found.counts["rejected"]) == (40, 20)


def test_a_class_that_disappears_is_refused(tmp_path: Path) -> None:
    texts = [text if index % 3 else "8/10" for index, text in enumerate(TEXTS)]
    with pytest.raises(ClassifierError, match=r"has 20 Bad rows, of which none can be used; row 1"):
        load(tmp_path, content=texts, grade3=cycled(*CLASSES))


@pytest.mark.parametrize(
    ("ratings", "scale"),
    [
        ((1, 3, 5), "5"),
        (("1", "3,5", "5.0"), "1-5"),
        ((10, 60, 95), "100"),
        ((0.1, 0.6, 0.9), "1"),
        ((1, 12, 19), "20"),
        ((-2, 0, 2), "10"),
    ],
)
def test_ratings_of_another_scale_are_refused_with_the_option(
    tmp_path: Path, ratings: tuple[Any, ...], scale: str
) -> None:
    with pytest.raises(ClassifierError, match="--scale ") as raised:
        load(tmp_path, content=TEXTS, grade10=cycled(*ratings))
    assert "a.jsonl has " in str(raised.value)
    if scale != "10":
        found = load(tmp_path, Schema(scale=scale), content=TEXTS, grade10=cycled(*ratings))
        assert max(found.rows["rating"]) > 8
        assert found.counts["kept"] == 60


@pytest.mark.parametrize(
    "ratings",
    [
        ("1/10", "6 из 10", "9 / 10"),
        ("0,5/5", "3/5", "4.5/5"),
        ("10 %", "60%", "90 out of 100"),
        ("1.0", "6,0", "9"),
    ],
)
def test_written_scales_are_understood(tmp_path: Path, ratings: tuple[str, ...]) -> None:
    found = load(tmp_path, content=TEXTS, grade10=cycled(*ratings))
    assert list(found.rows["rating"]) == RATINGS


@pytest.mark.parametrize(
    "junk", ["NULL", "None", "nan", "", "n/a", "хз", "99", True, [8], {"a": 1}]
)
def test_the_sound_parts_of_a_row_are_used(tmp_path: Path, junk: Any) -> None:
    ratings = [junk if index == 7 else rating for index, rating in enumerate(RATINGS)]
    grades = [junk if index == 11 else grade for index, grade in enumerate(cycled(*CLASSES))]
    found = load(tmp_path, content=TEXTS, grade3=grades, grade10=ratings)
    assert found.counts["kept"] == 60
    assert (found.rows["rating"][7], found.rows["sentiment"][7]) == (None, 1)
    assert (found.rows["rating"][11], found.rows["sentiment"][11]) == (9, 2)
    assert found.counts["unused_grades"] in (0, 2)


def test_columns_of_other_names(tmp_path: Path) -> None:
    columns: dict[str, list[Any]] = {"text": TEXTS, "label": cycled(*CLASSES), "stars": RATINGS}
    with pytest.raises(ClassifierError) as raised:
        load(tmp_path, None, **columns)
    assert "has no column content and grade3 or grade10 but 'text', 'label', 'stars'" in str(
        raised.value
    )
    assert "--columns content=TEXT,grade3=LABEL" in str(raised.value)
    found = load(tmp_path, Schema("content=text, grade3=label,grade10=stars"), **columns)
    assert list(found.rows["rating"]) == RATINGS
    with pytest.raises(ClassifierError, match="has no column film but"):
        load(tmp_path, Schema("content=text,grade3=label,movie_name=film"), **columns)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"columns": "content"}, "--columns 'content': expected"),
        ({"columns": "text=content"}, "--columns text=: there are content, "),
        ({"columns": "content=a,content=b"}, "each once"),
        ({"labels": "meh=Fine"}, "--labels meh=Fine: there are Bad, Neutral, Good"),
        ({"labels": "=Good"}, "--labels '=Good': expected"),
        *(
            ({"scale": scale}, f"--scale {scale}: name")
            for scale in ("five", "5-1", "0", "1-", "-")
        ),
    ],
)
def test_an_option_that_says_nothing_is_one_sentence(options: dict[str, str], said: str) -> None:
    with pytest.raises(ClassifierError) as raised:
        Schema(**options)
    assert said in str(raised.value)


def parquet(folder: Path, **columns: pa.Array) -> str:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    (folder / "a.parquet").write_bytes(sink.getvalue())
    return str(folder / "a.parquet")


@pytest.mark.parametrize(
    "other",
    [
        pa.array([400_000_000_000_000_000] * 60, pa.timestamp("us")),
        pa.array([10**7] * 60, pa.date32()),
        pa.array([b"\xff" * 10] * 60, pa.binary()),
        pa.array([[{"a": [1]}]] * 60),
        pa.array([10**6] * 60, pa.duration("s")),
        pa.array([Decimal("1e30")] * 60),
    ],
)
def test_columns_nobody_needs_do_no_harm(tmp_path: Path, other: pa.Array) -> None:
    path = parquet(
        tmp_path,
        content=pa.array(TEXTS, pa.large_string()),
        grade10=pa.array(map(Decimal, RATINGS), pa.decimal128(4, 1)),
        grade3=pa.array(cycled(*CLASSES)).dictionary_encode(),
        other=other,
        **({} if pa.types.is_binary(other.type) else {"review_id": other}),
    )
    found = load_reviews(path)
    assert list(found.rows["rating"]) == RATINGS
    assert found.counts["kept"] == 60


def test_a_broken_text_of_a_parquet_costs_its_row(tmp_path: Path) -> None:
    broken = [*(text.encode() for text in TEXTS[:-1]), b"\xd0\xff"]
    for kind in (pa.binary(), pa.string()):
        offsets = pa.array(broken, pa.binary())
        content = offsets if kind == pa.binary() else offsets.cast(kind, safe=False)
        found = load_reviews(parquet(tmp_path, content=content, grade10=pa.array(RATINGS)))
        assert (found.counts["kept"], found.rejected[0].reason) == (59, "broken UTF-8")
