"""Cross-validation: the best epoch of a run, and the table of folds."""

import json
import statistics

from kgen.studies import cross_validation


def planted(tmp_path, epochs, log):
    (tmp_path / "epochs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in epochs))
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log))
    return tmp_path


def test_the_best_epoch_is_the_last_one_marked_best(tmp_path):
    epochs = [
        {"step": 6, "epoch": 1.0, "validation_x": 0.5, "validation_y": 9.0, "best": True},
        {"step": 12, "epoch": 2.0, "validation_x": 0.3, "validation_y": 8.0, "best": True},
        {"step": 18, "epoch": 3.0, "validation_x": 0.4, "validation_y": 1.0, "best": False},
    ]
    log = [{"step": 5, "a_loss": 0.9}, {"step": 10, "a_loss": 0.7}, {"step": 15, "a_loss": 0.1}]
    expected = {"step": 12, "loss": 0.7, "validation_x": 0.3, "validation_y": 8.0}
    assert cross_validation.best_epoch(planted(tmp_path, epochs, log)) == expected


def test_a_table_of_folds_has_means_and_deviations():
    results = [{"fold": i, "step": 10, "validation_x": x} for i, x in enumerate((0.1, 0.2, 0.6))]
    lines = cross_validation.table_of_folds(results).splitlines()
    assert lines[0] == "| fold | step | validation_x |"
    assert lines[4] == "| 2 | 10 | 0.6000 |"
    assert lines[5] == "| mean | 10.0000 | 0.3000 |"
    assert lines[6] == f"| deviation | 0.0000 | {statistics.stdev((0.1, 0.2, 0.6)):.4f} |"
    assert cross_validation.best(results) == 0
