"""Prints the scalars of every run under a folder, as TensorBoard itself reads them, as JSON."""

import json
import pathlib
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

runs = {}
for folder in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()
    tags = events.Tags()["scalars"]
    runs[folder.name] = {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in tags}
    # The time of an event is a real one: after 2020, in order.
    times = [event.wall_time for event in events.Scalars("train/loss")]
    assert times == sorted(times) and times[0] > 1.58e9, times[:3]
json.dump(runs, sys.stdout)
