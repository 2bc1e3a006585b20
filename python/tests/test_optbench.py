"""`python3 -m unittest discover -s python/tests -t python`: the module alone, with whatever Python there is."""

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path
from typing import Any, Dict, List, Optional
from unittest import mock

import optbench

ROOT = Path(optbench.__file__).parent.parent

RUN_FILE: Dict[str, Any] = {
    "run": "mnist-adamw-cosine-lr0.01-s3",
    "task": "mnist",
    "seed": 3,
    "steps": 4,
    "eval_every": 2,
    "evaluations": [0, 2, 4],
    "steps_per_epoch": 2,
    "optimizer": {"label": "adamw", "kind": "adamw", "settings": {"lr": 0.01, "beta1": 0.9}},
    "schedule": {"label": "cosine", "kind": "cosine", "settings": {"min_factor": 0.0}},
    "learning_rates": [0.01, 0.0075, 0.005, 0.0025],
    "momentum": [0.95, 0.9, 0.85, 0.8],
    "resume": True,
}


class Folder(unittest.TestCase):
    """A folder for each test, with a run file, and scripts that find it."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def tell(self, **changed: Any) -> Path:
        told = {**RUN_FILE, "out": str(self.folder / "kept" / "here"), **changed}
        path = self.folder / "run.json"
        path.write_text(json.dumps({key: value for key, value in told.items() if value is not None}))
        return path

    def told(self, **changed: Any) -> optbench.Run:
        with mock.patch.dict(os.environ, {optbench.RUN_FILE: str(self.tell(**changed))}):
            return optbench.run(steps=1, lr=1.0)

    def script(self, text: str, run_file: Optional[Path], **options: Any) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        environment.pop(optbench.RUN_FILE, None)
        if run_file is not None:
            environment[optbench.RUN_FILE] = str(run_file)
        start = [sys.executable, "-c", textwrap.dedent(text)]
        options = {"capture_output": True, **options}
        return subprocess.run(start, env=environment, text=True, cwd=self.folder, **options)


class UnderOptbench(Folder):
    def test_the_run_file_is_what_counts(self) -> None:
        run = self.told()
        self.assertEqual((run.name, run.task, run.seed, run.steps), ("mnist-adamw-cosine-lr0.01-s3", "mnist", 3, 4))
        self.assertEqual((run.eval_every, run.evaluations, run.steps_per_epoch), (2, (0, 2, 4), 2))
        self.assertEqual((run.optimizer.label, run.optimizer.kind, run.optimizer["beta1"]), ("adamw", "adamw", 0.9))
        self.assertEqual((run.schedule.kind, run.schedule.get("warmup", 7)), ("cosine", 7))
        self.assertTrue(run.resume and not run.by_hand and "lr" in run.optimizer)
        self.assertEqual([step for step in range(6) if run.is_due(step)], [0, 2, 4])
        with self.assertRaisesRegex(KeyError, "no setting `beta9`; it has: lr, beta1"):
            run.optimizer["beta9"]

    def test_the_folder_is_made_where_it_is_used(self) -> None:
        run = self.told()
        self.assertFalse((self.folder / "kept").exists())
        self.assertTrue(run.out.is_dir())
        self.assertEqual(run.out, self.folder / "kept" / "here")

    def test_rates_are_those_of_the_schedule_and_stay_after_the_end(self) -> None:
        run = self.told()
        self.assertEqual([run.lr(t) for t in range(6)], [0.01, 0.0075, 0.005, 0.0025, 0.0025, 0.0025])
        self.assertEqual([run.momentum(t) for t in (0, 3)], [0.95, 0.8])
        with self.assertRaisesRegex(ValueError, "t is -1"):
            run.lr(-1)

    def test_without_rates_the_peak_is_the_rate(self) -> None:
        run = self.told(learning_rates=None, momentum=None)
        self.assertEqual((run.lr(0), run.lr(3), run.momentum(0)), (0.01, 0.01, None))
        run = self.told(learning_rates=None, optimizer={"label": "dog", "kind": "external", "settings": {}})
        with self.assertRaisesRegex(ValueError, "`dog` has no `lr`"):
            run.lr(0)

    def test_a_run_file_that_is_none_is_said(self) -> None:
        for content in ("{", "[]", "{}"):
            path = self.folder / "bad.json"
            path.write_text(content)
            with mock.patch.dict(os.environ, {optbench.RUN_FILE: str(path)}), self.assertRaises(RuntimeError):
                optbench.run()
        with mock.patch.dict(os.environ, {optbench.RUN_FILE: str(self.folder / "none")}):
            with self.assertRaisesRegex(RuntimeError, "cannot be read"):
                optbench.run()

    def lines(self, text: str) -> List[Any]:
        ended = self.script(text, self.tell())
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        return [json.loads(line) if line.startswith("{") else line for line in ended.stdout.splitlines()]

    def test_measurements_are_lines_of_json_among_other_output(self) -> None:
        lines = self.lines(
            """
            import optbench
            class Tensor:
                def __float__(self): return 0.25
            run = optbench.run()
            print("hello")
            run.log(1, Tensor())
            run.log(2, 1, lr=0.5, grad_norm=Tensor())
            run.evaluate(2, loss=Tensor(), accuracy=True)
            run.evaluate(4, split="test", loss=float("nan"))
            print("bye")
            """
        )
        nan = lines[4].pop("loss")
        self.assertNotEqual(nan, nan)
        expected: List[Any] = [
            "hello",
            {"step": 1, "loss": 0.25, "lr": 0.01},
            {"step": 2, "loss": 1.0, "lr": 0.5, "grad_norm": 0.25},
            {"step": 2, "split": "val", "loss": 0.25, "accuracy": 1.0},
            {"step": 4, "split": "test"},
            "bye",
        ]
        self.assertEqual(lines, expected)

    def test_python_s_words_for_what_is_no_number_are_printed(self) -> None:
        ended = self.script("import optbench; optbench.run().log(1, float('inf'))", self.tell())
        self.assertEqual(ended.stdout, '{"step": 1, "loss": Infinity, "lr": 0.01}\n')

    def test_a_script_may_redirect_its_output(self) -> None:
        lines = self.lines(
            """
            import contextlib, io, os, sys
            import optbench
            run = optbench.run()
            with contextlib.redirect_stdout(io.StringIO()):
                print("nowhere")
                run.log(1, 1)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            print("nowhere either", flush=True)
            run.log(2, 1)
            sys.stdout.close()
            run.log(3, 1)
            """
        )
        self.assertEqual([line["step"] for line in lines], [1, 2, 3])

    def test_threads_tear_no_line(self) -> None:
        lines = self.lines(
            """
            import threading
            import optbench
            run = optbench.run()
            def log(thread):
                for step in range(500):
                    run.evaluate(step, **{f"metric_{thread}": step})
            threads = [threading.Thread(target=log, args=(thread,)) for thread in range(8)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            """
        )
        self.assertEqual(len(lines), 4000)
        for thread in range(8):
            own = [line["step"] for line in lines if f"metric_{thread}" in line]
            self.assertEqual(own, list(range(500)))

    @unittest.skipIf(os.name == "nt", "pipes of POSIX")
    def test_a_reader_that_goes_away_ends_no_training(self) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        text = """
            import optbench, pathlib
            run = optbench.run()
            for step in range(1, 5):
                run.log(step, 1)
            pathlib.Path("trained").touch()
            """
        ended = self.script(text, self.tell(), capture_output=False, stdout=writing, stderr=subprocess.PIPE)
        os.close(writing)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.assertTrue((self.folder / "trained").exists())

    def test_divergence_is_a_status_of_its_own(self) -> None:
        ended = self.script("import optbench; print('so far'); optbench.run().diverged()", self.tell())
        self.assertEqual((ended.returncode, ended.stdout), (86, "so far\n"))

    def test_what_is_no_number_is_refused_where_it_is_logged(self) -> None:
        run = self.told()
        for wrong in ("0.5", None, [1.0, 2.0], object()):
            with self.assertRaisesRegex(TypeError, "`loss` is "):
                run.log(1, wrong)  # type: ignore[arg-type]
        with self.assertRaisesRegex(TypeError, "needs a score"):
            run.evaluate(1)

    def test_the_device_is_the_one_that_was_given(self) -> None:
        with mock.patch.dict(os.environ, {optbench.DEVICE: "2"}):
            self.assertEqual(self.told().device, "2")
        with mock.patch.dict(os.environ, {optbench.DEVICE: ""}):
            self.assertIsNone(self.told().device)


class ByHand(Folder):
    def setUp(self) -> None:
        super().setUp()
        without = {name: value for name, value in os.environ.items() if name != optbench.RUN_FILE}
        patch = mock.patch.dict(os.environ, without, clear=True)
        patch.start()
        self.addCleanup(patch.stop)

    def test_the_defaults_of_the_script_count(self) -> None:
        run = optbench.run(steps=25, lr=0.5, seed=7, eval_every=10, optimizer="sgd", momentum=0.9)
        self.assertEqual((run.steps, run.seed, run.evaluations), (25, 7, (0, 10, 20, 25)))
        self.assertEqual((run.optimizer.kind, run.optimizer.settings), ("sgd", {"lr": 0.5, "momentum": 0.9}))
        self.assertEqual((run.schedule.kind, run.lr(3), run.momentum(3), run.resume), ("constant", 0.5, None, False))
        self.assertEqual(optbench.run(steps=3).evaluations, (0, 1, 2, 3))
        with self.assertRaisesRegex(ValueError, r"run\(lr=...\)"):
            optbench.run().lr(0)

    def test_measurements_are_for_people(self) -> None:
        run = optbench.run(steps=100, lr=0.5, eval_every=50)
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            for step in range(1, 11):
                run.log(step, 1 / step, lr=run.lr(step))
            run.evaluate(50, loss=0.4, accuracy=0.875)
        said = "step 5  loss 0.2  lr 0.5\nstep 10  loss 0.1  lr 0.5\nstep 50  val  loss 0.4  accuracy 0.875\n"
        self.assertEqual(text.getvalue(), said)


if __name__ == "__main__":
    unittest.main()
