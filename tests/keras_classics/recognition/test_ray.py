"""The guide's example of recognising with Ray Data, run on this machine."""

import csv
import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

ROOT = pathlib.Path(__file__).parents[3]


@pytest.mark.needs_extras("ray")
def test_the_example_reads_a_folder(embedded, tmp_path):
    guide = (ROOT / "docs" / "recognition.md").read_text(encoding="utf-8")
    (example,) = (block for block in re.findall(r"```python\n(.*?)```", guide, re.DOTALL) if "import ray" in block)
    (tmp_path / "digits").mkdir()
    for label in range(10):
        digit = embedded.test.images[embedded.test.labels == label][0][..., 0]
        Image.fromarray(255 - digit.repeat(4, 0).repeat(4, 1)).save(tmp_path / "digits" / f"{label}.png")
    program = f"folder, results = {str(tmp_path / 'digits')!r}, {str(tmp_path / 'results')!r}\n{example}"
    (tmp_path / "example.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, tmp_path / "example.py"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "RAY_DEDUP_LOGS": "0"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    rows = [row for path in (tmp_path / "results").glob("*.csv") for row in csv.DictReader(path.open())]
    assert len(rows) == 10
    right = [pathlib.Path(row["path"]).stem == row["label"] for row in rows]
    assert np.mean(right) >= 0.8
