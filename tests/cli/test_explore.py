"""kgen explore publishes the model it was given and serves it at the address it prints; mistakes are sentences."""

import pytest


@pytest.fixture
def served(monkeypatch):
    """Stands for NiceGUI's server and the page: notes what is published and how it is served."""
    nicegui = pytest.importorskip("nicegui", reason='the page needs pip install -e ".[ui]"')
    from kgen.explorer import page

    found = {}
    monkeypatch.setattr(page, "publish", lambda subject, others: found.update(subject=subject, others=others))
    monkeypatch.setattr(nicegui.ui, "run", lambda **how: found.update(how))
    return found


@pytest.mark.slow
def test_the_page_is_served_at_the_address_that_is_printed(served, call, class_conditional):
    game, folder = class_conditional
    code, out, _ = call("explore", "--saved-model", folder, "--port", "8123")
    assert (code, out) == (0, "http://127.0.0.1:8123   Ctrl-C ends.\n")
    assert (served["host"], served["port"]) == ("127.0.0.1", 8123)
    assert served["subject"].classes == game.classes and served["subject"].name == str(folder)
    assert served["others"] == []


def test_a_checkpoint_is_shown_beside_its_run(served, call, autoencoder):
    checkpoint = autoencoder / "checkpoints/000010"
    code, _, errors = call("explore", "--run", autoencoder, "--beside", checkpoint, checkpoint)
    assert code == 0, errors
    assert [other.name for other in served["others"]] == [str(checkpoint)] * 2


def test_a_model_of_other_codes_is_not_shown_beside(served, call, autoencoder, class_conditional):
    code, _, errors = call("explore", "--run", autoencoder, "--beside", class_conditional[1])
    assert code == 2 and "--beside" in errors and "whose codes are as long" in errors


@pytest.mark.parametrize(
    "flags, words",
    [
        ((), "Give either --run or --saved-model."),
        (("--run", "x", "--saved-model", "y"), "Give either --run or --saved-model."),
        (("--run", "latest"), "no run in runs"),
        (("--saved-model", "nowhere"), "nowhere"),
        (("--saved-model", "nowhere", "--port", "0"), "--port must be from 1 to 65535, not 0."),
        (("--saved-model", "nowhere", "--port", "65536"), "--port must be from 1 to 65535, not 65536."),
    ],
)
def test_a_mistake_is_a_sentence(flags, words, call):
    code, out, errors = call("explore", *flags)
    assert (code, out) == (2, "") and words in errors and "Traceback" not in errors
