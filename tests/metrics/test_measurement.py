"""What is written of a measurement, and what a table says of protocols that differ."""

import json

import pytest

from kgen.metrics.measurement import Measurement, over_seeds, shown, table


def made(value=1.0, name="fid", label="FID", **more):
    return Measurement(name=name, label=label, value=value, **{"protocol": {"real": 10, "seed": 0}, **more})


def test_a_line_has_the_number_its_spread_and_its_protocol():
    text = made(2.5, spread=0.5, spread_is="standard error", found={"sigma": 1}, warnings=("few",)).line(step=7)
    assert text.count("\n") == 1 and text.endswith("\n")
    line = json.loads(text)
    assert line.pop("kgen")
    assert line == {
        "step": 7, "name": "fid", "value": 2.5, "spread": 0.5, "spread_is": "standard error",
        "protocol": {"real": 10, "seed": 0}, "found": {"sigma": 1}, "warnings": ["few"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "value, spread, words",
    [(225.123, 2.04, "225.1 ± 2.0"), (0.01234, 0.00056, "0.01234 ± 0.00056"), (1234.5, 77.7, "1234 ± 78"),
     (3.14159, None, "3.142"), (3.0, 0.0, "3"), (2.0, float("inf"), "2")],
)  # fmt: skip
def test_digits_that_mean_something(value, spread, words):
    assert shown(made(value, spread=spread)) == words


def test_a_table_has_a_row_for_each_metric_and_its_protocol_below():
    score = {"name": "is", "label": "Inception Score", "higher": True, "spread": 0.1, "spread_is": "deviation"}
    text = table(
        {"a": [made(1), made(8, **score)], "b": [made(2, protocol={"real": 10, "seed": 0, "weights_sha256": "f" * 64})]}
    )
    lines = text.splitlines()
    assert lines[:4] == [
        "|  | a | b |",
        "| --- | --- | --- |",
        "| FID ↓ | 1 | 2 |",
        "| Inception Score ↑ | 8.00 ± 0.10 | - |",
    ]
    assert "- All: real 10, seed 0." in lines
    assert "- FID: PROTOCOLS DIFFER in weights_sha256: the numbers cannot be compared." in lines
    assert "- Inception Score: ± is the deviation." in lines
    assert "WARNING" not in text


def test_each_part_of_a_protocol_that_differs_is_named_and_no_other():
    a, b = ({"real": real, "seed": 0, "splits": splits} for real, splits in ((10, 1), (20, 10)))
    lines = table({"a": [made(protocol=a), made(name="kid", label="KID")], "b": [made(protocol=b)]}).splitlines()
    assert "- All: seed 0." in lines and "- KID: real 10." in lines
    assert "- FID: PROTOCOLS DIFFER in real, splits: the numbers cannot be compared." in lines


def test_of_a_digest_the_first_digits_are_shown():
    text = table({"a": [made(protocol={"weights_sha256": "0123456789abcdef" * 4})]})
    assert "- All: weights_sha256 0123456789ab." in text.splitlines()


def test_different_warnings_come_each_with_what_they_are_of():
    text = table({"a": [made(warnings=("x.", "y."))], "b": [made(name="kid", label="KID", warnings=("y.",))]})
    assert [line for line in text.splitlines() if "WARNING" in line] == [
        "WARNING FID, a: x.",
        "WARNING FID, a; KID, b: y.",
    ]


def test_protocols_that_agree_are_not_marked_and_a_warning_comes_once():
    few = {"warnings": ("too few.",)}
    text = table({"a": [made(**few)], "b": [made(**few)]})
    assert "DIFFER" not in text
    assert text.count("too few.") == 1 and "WARNING FID, a; FID, b: too few." in text


def test_means_over_seeds():
    (found,) = over_seeds([[made(1.0, warnings=("x",))], [made(2.0, warnings=("x",))], [made(6.0)]])
    assert (found.value, found.spread) == pytest.approx((3.0, 7**0.5))
    assert found.found == {"variance": pytest.approx(7.0), "values": [1.0, 2.0, 6.0]}
    assert found.protocol["seeds"] == 3 and found.warnings == ("x",)
