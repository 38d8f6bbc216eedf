"""What the scenarios share: the settings of their installation, and how many recordings each of them sends."""

from __future__ import annotations

# Shorter than the defaults (100, 120, 180 and 10 s) so that the tests wait less for dead workers. Everything else, the
# three attempts and the sweeper's gaps included, is as in production.
SETTINGS = {
    "HELIOS_RUN_TIME_LIMIT_SECONDS": "20",
    "HELIOS_RUN_LEASE_SECONDS": "25",
    "HELIOS_BROKER_VISIBILITY_SECONDS": "30",
    "HELIOS_SWEEP_SECONDS": "5",
}
LEASE_SECONDS = float(SETTINGS["HELIOS_RUN_LEASE_SECONDS"])
MAX_ATTEMPTS = 3

# Scenario: (files that the worker refuses quickly, good speech)
SIZES = {
    "pool children killed": (60, 6),
    "whole worker killed": (60, 6),
    "worker killed at any point": (110, 6),
    "valkey killed while runs flow": (50, 4),
    "valkey killed with 50 queued": (50, 2),
    "everything in valkey lost with 50 queued": (50, 2),
    "postgres killed": (50, 4),
    "postgres restarted": (40, 2),
    "beat and housekeeping killed": (40, 2),
    "drained and started again": (30, 4),
    "power cut": (40, 4),
}
