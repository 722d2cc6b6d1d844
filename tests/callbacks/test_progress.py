"""The progress bar counts the images of the whole run, also where the run goes on from a checkpoint."""

import pytest
from tqdm import notebook, std

from kgen.callbacks import Progress
from kgen.callbacks import progress as module


@pytest.mark.parametrize("start, every", [(0, 1), (0, 5), (20, 1)])
def test_the_bar_shows_the_images_of_the_whole_run(start, every, capsys):
    progress = Progress(steps=50, images_per_step=8, every=every, start=start)
    progress.on_train_begin()
    assert (progress.bar.total, progress.bar.n) == (400, 8 * start)
    for batch in range(every - 1, 30, every):
        progress.on_train_batch_end(batch)
        assert progress.bar.n == 8 * (start + batch + 1)
    assert progress.bar.desc == f"step {start + 30}/50: "
    progress.close()
    assert "/400 " in capsys.readouterr().err


def test_a_closed_bar_is_at_its_end():
    progress = Progress(steps=4, images_per_step=3)
    progress.on_train_begin()
    for batch in range(4):
        progress.on_train_batch_end(batch)
    progress.close()
    assert progress.bar.n == progress.bar.total == 12 and progress.bar.disable


@pytest.mark.parametrize("terminal, widget, seconds", [(False, False, 30), (True, False, 0.5), (False, True, 0.5)])
def test_a_log_file_gets_few_lines_and_what_is_redrawn_is_fresh(terminal, widget, seconds, monkeypatch, capsys):
    monkeypatch.setattr(module.sys.stderr, "isatty", lambda: terminal)
    monkeypatch.setattr(module, "tqdm_notebook", std.tqdm if widget else notebook.tqdm_notebook)  # what tqdm is here
    progress = Progress(steps=4, images_per_step=3)
    progress.on_train_begin()
    progress.close()
    assert progress.bar.mininterval == seconds
