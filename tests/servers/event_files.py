"""Event files as a training run writes them, for TensorBoard."""

from __future__ import annotations

from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter


def train(run: Path, *, steps: int = 20, tag: str = "loss") -> None:
    """Write the event file of one run that learns well."""
    writer = EventFileWriter(str(run))
    for step in range(steps):
        value = Summary.Value(tag=tag, simple_value=1 / (1 + step))
        writer.add_event(Event(step=step, wall_time=step, summary=Summary(value=[value])))
    writer.close()
