"""A million patients of a hundred tenants: 99 of about 8,000, and one of 200,000."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from benchmarks.api import new_customer

GIVEN = (
    "Maria", "José", "Zoë", "Søren", "Łukasz", "Aïcha", "François", "Nguyễn", "Björn", "Chloë", "Amélie", "Iñigo",
    "Ana", "John", "Fatima", "Wei", "Olga", "Priya", "Kwame", "Yuki", "Ravi", "Emma", "Noah", "Liam", "Sofia",
    "Mehmet", "Đorđe", "Siân", "Ngozi", "Hana",
)  # fmt: skip
FAMILY = (
    "Santos", "García", "Müller", "Ångström", "Kowalski", "O'Brien", "D'Souza", "Nováková", "Jørgensen", "Sánchez",
    "Smith", "Jones", "Brown", "Tanaka", "Okafor", "Petrović", "Öztürk", "Lefèvre", "Fernández", "Hernández", "Patel",
    "Kim", "Ivanov", "Schäfer", "Rossi", "Larsen", "MacLeod", "Van den Berg", "Al-Farsi", "Chaudhry",
)  # fmt: skip
RARE = "Xylander"  # the family name of one patient in fifty thousand
_ORDINARY = 99
_OF_LARGEST = 0.2
# In the order of time, so that a tenant's rows lie among those of all others, as they do where all write.
_FILL = """
INSERT INTO patients_patient (id, organization_id, created_at, updated_at, version, name, search_name, consent,
                              external_id)
SELECT first + n, organization, at, at, 1, name || ' ' || n, search_name || ' ' || n, n %% 2 = 0, 'EHR-' || n
FROM (
    SELECT first, organization, n,
           date_trunc('milliseconds', now() - n::float / size * interval '80 days') AS at,
           CASE WHEN n %% 50000 = 7 THEN %(rare)s ELSE (%(names)s::text[])[1 + n * 7919 %% %(most)s] END AS name,
           CASE WHEN n %% 50000 = 7 THEN lower(%(rare)s) ELSE (%(folded)s::text[])[1 + n * 7919 %% %(most)s] END
               AS search_name
    FROM unnest(%(organizations)s::uuid[], %(firsts)s::bigint[], %(sizes)s::int[]) AS tenant(organization, first, size),
         generate_series(1, size) AS n
) AS made
ORDER BY at
"""


@dataclass(frozen=True, slots=True)
class Tenants:
    """The organisation with most patients and its key, and one of the others with its key."""

    largest: Any
    key_of_largest: str
    ordinary: Any
    key_of_ordinary: str


def fill(patients: int) -> Tenants:
    """Fill the empty tables. Names are unlike each other by a number at their end."""
    from django.db import connection

    from apps.patients.names import folded

    names = [f"{given} {family}" for family in FAMILY for given in GIVEN]
    words: dict[str, Any] = {
        "names": names,
        "folded": [folded(name) for name in names],
        "most": len(names),
        "rare": RARE,
    }
    largest, key_of_largest = new_customer("largest")
    ordinary = [new_customer(f"tenant {number}") for number in range(_ORDINARY)]
    sizes = [int(patients * _OF_LARGEST), *[int(patients * (1 - _OF_LARGEST) / _ORDINARY)] * _ORDINARY]
    tenants = {
        "organizations": [largest.pk, *(one.pk for one, _ in ordinary)],
        "firsts": [10**17 + before for before in accumulate(sizes, initial=0)][:-1],
        "sizes": sizes,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FILL, words | tenants)
        cursor.execute("VACUUM ANALYZE patients_patient")
        cursor.execute("VACUUM ANALYZE patients_recordcount")
    return Tenants(largest, key_of_largest, *ordinary[0])
