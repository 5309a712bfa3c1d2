"""The embedded model computes on the cores that this process may use, not on all of the machine."""

import os
import subprocess
import sys

import pytest

COUNT = "from personaagent.models.embedded import usable_cores; print(usable_cores())"


@pytest.mark.skipif(sys.platform != "linux", reason="the affinity of a process")
def test_cores_that_the_process_may_not_use_do_not_count() -> None:
    one = min(os.sched_getaffinity(0))

    def counted(cores: set[int]) -> int:
        os.sched_setaffinity(0, cores)
        ran = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, check=True)
        return int(ran.stdout)

    allowed = os.sched_getaffinity(0)
    try:
        assert counted({one}) == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert counted(allowed) == len(allowed)
