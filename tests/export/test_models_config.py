"""models.config: which versions a server is told to load, and which exports go."""

import pytest

from kgen.errors import UsageError
from kgen.export import models_config


def made(root, name, *versions):
    for version in versions:
        (root / name / str(version)).mkdir(parents=True)
    return root / name


def entry(root, name):
    return next(each for each in models_config.read(root).model_config_list.config if each.name == name)


def test_a_model_without_labels_is_served_in_its_newest_version(tmp_path):
    made(tmp_path, "a", 1, 2)
    assert models_config.register(tmp_path, "a", 2) == {}
    found = entry(tmp_path, "a")
    assert (found.base_path, found.model_platform) == (str(tmp_path / "a"), "tensorflow")
    assert not found.HasField("model_version_policy")


def test_labelled_versions_stay_beside_the_newest(tmp_path):
    made(tmp_path, "a", 1, 2, 3)
    made(tmp_path, "b", 1)
    models_config.register(tmp_path, "b", 1)
    assert models_config.register(tmp_path, "a", 1, "stable") == {"stable": 1}
    assert models_config.register(tmp_path, "a", 3) == {"stable": 1}
    assert list(entry(tmp_path, "a").model_version_policy.specific.versions) == [1, 3]
    assert models_config.register(tmp_path, "a", 3, "stable") == {"stable": 3}
    assert list(entry(tmp_path, "a").model_version_policy.specific.versions) == [3]
    assert [each.name for each in models_config.read(tmp_path).model_config_list.config] == ["b", "a"]


def test_a_label_goes_with_its_version(tmp_path):
    folder = made(tmp_path, "a", 1, 2)
    models_config.register(tmp_path, "a", 1, "old")
    (folder / "1").rmdir()
    assert models_config.register(tmp_path, "a", 2) == {}


@pytest.mark.parametrize(
    "keep, labelled, left", [(1, (), [10]), (2, (), [9, 10]), (1, (2,), [2, 10]), (9, (), [1, 2, 9, 10])]
)
def test_the_newest_and_the_labelled_are_kept(keep, labelled, left, tmp_path):
    folder = made(tmp_path, "a", 1, 2, 9, 10)
    models_config.prune(folder, keep, labelled)
    assert models_config.versions(folder) == left


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "models.config").write_text("model_config_list { config { nam")
    with pytest.raises(UsageError, match="models.config is not a model server's configuration"):
        models_config.register(tmp_path, "a", 1)
