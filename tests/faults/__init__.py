"""The fault harness: real servers, a private Redis and PostgreSQL, lines that break, and bots with an ack log.

A fault is made outside of the product: processes are killed, lines are cut between COMMIT and its answer, disks are
filled. The product needs no fail points for that and has none. Each test is named by its row of the fault matrix.
"""
