"""``python -m coolgp.scenarios.cli.child ...``: the command line as a child, which stops when its parent is gone.

The parent holds the other end of this process's standard input. However the parent ends, be it killed, the system
closes that end, and this process stops as SIGTERM asks it to: with a checkpoint after its round.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable

from coolgp.network.launcher import launched_rank

__all__ = ["stop_with_parent"]


def stop_with_parent(stop: Callable[[], None]) -> None:
    """Call `stop` in a thread when standard input ends."""

    def watch() -> None:
        while os.read(0, 1):
            pass
        stop()

    threading.Thread(target=watch, daemon=True).start()


def _terminate() -> None:
    """SIGTERM for the main thread, whatever it waits for; where there are no such signals, the end at once."""
    if not hasattr(signal, "pthread_kill"):
        os._exit(143)
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGTERM)


if __name__ == "__main__":
    if launched_rank() == 0:  # launchers hand standard input on to the root alone
        stop_with_parent(_terminate)
    from coolgp.scenarios.cli.app import main

    sys.argv[0] = "coolgp"  # what the run's env.json names as its command
    main()
