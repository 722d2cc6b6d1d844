"""kgen export writes the newest checkpoint of a run again, and says what is wrong."""

import pytest

from tests.helpers import processes


def test_the_script_exports_the_newest_checkpoint_again(tmp_path):
    folder = processes.uninterrupted(*processes.DCGAN)
    run = processes.run_of(folder)
    out, _ = processes.finish(
        processes.fork("--run", run, "--exports-dir", tmp_path, "--name", "mine", cwd=tmp_path, script="export.py")
    )
    assert out == f"{tmp_path}/mine/1\n"
    one, two = folder / "saved_models/dcgan-mnist5k/1", tmp_path / "mine/1"
    variables = "variables/variables.data-00000-of-00001"
    assert (one / "samples.png").read_bytes() == (two / "samples.png").read_bytes()
    assert (one / variables).read_bytes() == (two / variables).read_bytes()


@pytest.mark.parametrize(
    "flags, words",
    [
        (("--keep", "0"), "--keep must be at least 1, not 0."),
        (("--label", "a b"), "--label must be letters, digits, and . _ -, not a b."),
        (("--format", "caffe"), "--format"),
    ],
)
def test_a_mistake_is_a_sentence(flags, words, call):
    code, out, errors = call("export", *flags)
    assert (code, out) == (2, "") and words in " ".join(errors.split()) and "Traceback" not in errors
