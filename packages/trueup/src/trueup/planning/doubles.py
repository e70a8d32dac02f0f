"""What a step makes without naming it and somebody has made before it, while its name was still taken.

The server gives such a constraint or index a number, and would give the step's own one the name: there would be two.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from trueup.chain.model import Effect

_MOST = 3  # are tried: it is one by one that a number is given


def doubles(effect: Effect, facts: Mapping[str, str], known: Container[str]) -> Iterator[str]:
    """The keys of what is there already as the step makes it, under its name and a number.

    Args:
        effect: What the step does.
        facts: The database as it is.
        known: The chain's own facts.
    """
    for key, value in effect.set.items():
        if key.startswith(("constraint ", "index ")) and facts.get(key, value) != value:  # the name is taken
            name, end = (key[:-1], '"') if key.endswith('"') else (key, "")
            numbered = (f"{name}{number}{end}" for number in range(1, _MOST + 1))
            yield from (double for double in numbered if facts.get(double) == value and double not in known)
