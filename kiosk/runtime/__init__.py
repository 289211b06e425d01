"""What `manage.py run` owns: the lock, Redis, the server, the sweeper, certificates."""


class StartRefused(RuntimeError):
    """The server cannot be started; the text is one line that says why."""
