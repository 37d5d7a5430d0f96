"""Helpers of the peer tests: a caller in a process of its own, and foreign SIP programs on loopback."""
