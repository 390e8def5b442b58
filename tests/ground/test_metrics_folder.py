"""The folder of metrics files is read while processes come and go."""

import time
from pathlib import Path
from threading import Thread

from adapters.metrics_server import workers_ready


def test_file_a_process_is_just_making_disturbs_nobody(tmp_path: Path) -> None:
    (tmp_path / "counter_1.db").touch()
    assert workers_ready(tmp_path) == {}


def test_file_that_is_made_meanwhile_is_read(tmp_path: Path) -> None:
    made = tmp_path / "counter_1.db"
    made.touch()

    def make() -> None:
        time.sleep(0.005)
        made.write_bytes(bytes(65_536))

    thread = Thread(target=make)
    thread.start()
    assert workers_ready(tmp_path) == {}
    thread.join()
