"""A job's log holds everything; a user's mistake ends as its message alone."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def run(tmp_path, body):
    code = f"from helpers.jobs import logged\nwith logged({str(tmp_path / 'logs/job.log')!r}):\n    {body}\n"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    return done, (tmp_path / "logs/job.log").read_text()


def test_output_of_python_and_of_children_is_in_the_log(tmp_path):
    done, log = run(tmp_path, "import os; print('python', flush=True); os.system('echo child')")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert log.split() == ["python", "child"]


def test_a_line_is_put_before_all_that_was_said(tmp_path):
    body = "import os; from helpers.jobs import put_first; print('python'); os.system('echo child'); "
    body += f"put_first({str(tmp_path / 'logs/job.log')!r}, 'device: cpu'); "
    body += "print('later', flush=True); os.system('echo end')"
    _, log = run(tmp_path, body)
    assert sorted(log.splitlines()[1:3]) == ["child", "python"]
    assert [log.splitlines()[number] for number in (0, 3, 4)] == ["device: cpu", "later", "end"]


def test_a_mistake_is_one_line_without_traceback(tmp_path):
    done, log = run(tmp_path, "from helpers.errors import InputError; raise InputError('chr9 is not in the FASTA')")
    assert done.returncode == 1
    assert log == "ERROR: chr9 is not in the FASTA\n"


def test_another_error_keeps_its_traceback(tmp_path):
    done, log = run(tmp_path, "1 / 0")
    assert done.returncode == 1
    assert "Traceback" in log
    assert "ZeroDivisionError" in log
