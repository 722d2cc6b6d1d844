"""The names of `import kgen`, which is no file but the folder itself."""

import subprocess
import sys

import pytest

import kgen


@pytest.mark.parametrize("name", kgen.__all__)
def test_each_public_name_is_there(name):
    assert getattr(kgen, name) is not None and name in dir(kgen)


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'kgen' has no attribute 'trian'"):
        kgen.trian


def test_the_import_loads_neither_tensorflow_nor_keras():
    code = "import sys, kgen; print(sorted({'keras', 'tensorflow', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_a_recipe_knows_its_name():
    assert kgen.find_recipe("wgan-gp").name == "wgan-gp" and "wgan-gp" in kgen.recipe_names()
