"""How many calls a caller may make: what its organisation's plan allows, and within that what is set on its key."""

from __future__ import annotations

from types import MappingProxyType

from django.conf import settings

from apps.accounts.models import Organization
from helios_site.env import Rate

_MINUTE = 60
# Plan -> by how much it multiplies the general limit of an API family.
FACTORS = MappingProxyType({Organization.Plan.FREE: 1, Organization.Plan.DEVELOPER: 10, Organization.Plan.TEAM: 100})
# What `enterprise` has in place of no limit, so that the headers stay true.
ENTERPRISE = Rate(1_000_000, _MINUTE)


def of_plan(plan: str, general: Rate) -> Rate:
    """The limit of a plan in the family whose general limit is `general`."""
    if plan == Organization.Plan.ENTERPRISE:
        return ENTERPRISE
    return Rate(general.limit * FACTORS[Organization.Plan(plan)], general.seconds)


def of_key(plan: str, own: int | None, *, is_granted: bool, general: Rate) -> Rate:
    """The limit of a key with `own` calls a minute: the lower of its plan's and its own.

    One that staff set is granted: it counts as it stands, in both families, also above the plan.
    """
    allowed = of_plan(plan, general)
    if own is None or (not is_granted and own * allowed.seconds >= allowed.limit * _MINUTE):
        return allowed
    return Rate(own, _MINUTE)


def highest_own(plan: str) -> int:
    """Calls a minute that an organisation may set on its keys by itself: above, its plan is the lower one anyway."""
    families = (settings.HELIOS_RATE_LIMIT, settings.HEALOS_RATE_LIMIT)
    return max(per_minute(of_plan(plan, general)) for general in families)


def per_minute(rate: Rate) -> int:
    """Whole calls a minute, whatever the window."""
    return rate.limit * _MINUTE // rate.seconds
