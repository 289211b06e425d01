"""What `manage.py run` owns: the lock, Redis, the server, the sweeper, certificates."""
