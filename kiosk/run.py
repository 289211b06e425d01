"""`python -m kiosk.run`: the server with everything it needs, until Ctrl-C. `manage.py run` ends up here."""

from __future__ import annotations

import sys
import time

from kiosk.config import SettingsError, load_settings
from kiosk.runtime import StartRefused, screen
from kiosk.runtime.lock import ServerLock


def main() -> int:
    """Serve; return the exit code: 0 ended on request, 1 could not start."""
    begun_at = time.monotonic()
    try:
        settings = load_settings()
        lock = ServerLock.take(settings.instance_dir)
        # the whole application comes with it: not needed for a refusal, and part of the time we report
        from kiosk.runtime.supervisor import Supervisor

        code = Supervisor(settings, begun_at=begun_at).run()
    except (SettingsError, StartRefused) as refusal:
        return screen.fail(refusal)
    lock.release()
    return code


if __name__ == "__main__":
    sys.exit(main())
