"""Two things at the same moment: every pair of what candidates, staff and the sweeper do."""
