"""All attacks, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cheeper_e2e.hostile.attack.attacks import bodies, commands, queries, text
from cheeper_e2e.hostile.attack.attacks.base import Attack

ATTACKS: Final[Mapping[str, Attack]] = {
    attack.name: attack for module in (text, bodies, queries, commands) for attack in module.ATTACKS
}
