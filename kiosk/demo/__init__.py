"""The demo's question files."""
