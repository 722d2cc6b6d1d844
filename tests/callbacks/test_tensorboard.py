"""What a run leaves for TensorBoard, read back from its event files."""

import dataclasses

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from kgen.core import recipe as recipes
from kgen.training import train as training
from tests.helpers.recipes import shrink


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    small = shrink(recipes.find("gan"), steps=16, log_every=8, sample_every=8, checkpoint_every=16)
    small = dataclasses.replace(small, split="train[:100]", histograms=True, profile=2)
    return training.train(small, folder, None).run


@pytest.fixture(scope="module")
def events(run):
    accumulator = EventAccumulator(str(run / "train"), size_guidance={"tensors": 0, "histograms": 0, "images": 0})
    return accumulator.Reload()


def test_losses_and_pictures(events):
    tags = events.Tags()["tensors"]
    assert {"loss/generator", "loss/discriminator", "speed/images_per_second", "samples", "recipe"} <= set(tags)
    assert [event.step for event in events.Tensors("loss/generator")] == [8, 16]
    assert [event.step for event in events.Tensors("samples")] == [0, 8, 16]


def test_histograms_of_every_weight(events):
    tags = [tag for tag in events.Tags()["tensors"] if tag.startswith(("generator/", "discriminator/"))]
    assert len(tags) >= 4 and {tag.split("/")[0] for tag in tags} == {"generator", "discriminator"}
    assert [event.step for event in events.Tensors(tags[0])] == [8, 16]


def test_hparams_of_the_recipe(events):
    content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    found = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info.hparams
    assert (found["model"].string_value, found["batch_size"].number_value) == ("gan", 4)
    assert {"dataset", "steps", "seed", "ema"} <= set(found)
    assert not {"histograms", "profile", "keep", "log_every", "evaluate_count", "on_nan", "jit", "data_dir"} & set(
        found
    )


def test_hparams_begin_with_a_loss(events):
    shown = sorted(
        tag for tag in events.Tags()["tensors"] if events.SummaryMetadata(tag).plugin_data.plugin_name == "scalars"
    )
    assert shown[0].startswith("loss/")


def test_a_profile_of_a_few_rounds(run):
    assert len(list((run / "train/plugins/profile").glob("*/*.xplane.pb"))) == 1
