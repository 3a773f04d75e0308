"""What somebody does to the output folder while a network is trained does not cost the network."""

import contextlib
import pathlib
import re
import shutil

import keras
import pytest

from train import lenet
from train.engine import loop


@pytest.fixture
def trained(tmp_path, monkeypatch, capsys):
    """``trained(meanwhile)``: a short run in this process; ``meanwhile()`` is called when the last step is done.

    Returns:
        ``(exit code, what was said on stderr)``.
    """
    folder = tmp_path / "somewhere" / "run"
    train = loop.train

    def run(meanwhile):
        def then(*args):
            train(*args)
            meanwhile()

        monkeypatch.setattr(loop, "train", then)
        with pytest.raises(SystemExit) as end:
            lenet.main(["--dataset", "embedded", "--steps", "3", "--checkpoint-steps", "2", "--out", str(folder)])
        return end.value.code, capsys.readouterr().err

    yield folder, run
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder.parent)


def test_a_folder_that_is_removed_is_made_again(trained):
    folder, run = trained
    assert run(lambda: shutil.rmtree(folder.parent)) == (0, "")
    assert keras.models.load_model(folder / "lenet5.keras").count_params() == 61_706
    assert {"lenet5_history.json", "lenet5_report.md", "test_digits"} <= {path.name for path in folder.iterdir()}


def test_a_model_that_cannot_be_written_there_is_written_elsewhere(trained, monkeypatch, tmp_path):
    folder, run = trained
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    def meanwhile():
        shutil.rmtree(folder.parent)
        folder.parent.write_text("a file where the folder was")

    code, said = run(meanwhile)
    folder.parent.unlink()
    assert code == 2
    found = re.search(r"cannot write to the folder .*\. The trained model is in (\S+)\.$", said)
    assert keras.models.load_model(pathlib.Path(found[1])).count_params() == 61_706
