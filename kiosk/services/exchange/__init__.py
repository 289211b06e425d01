"""Files in and out: formats that other programs and people write."""
