"""What is dangerous about a step on a table that is in use, and what to write instead.

Pure: parsed statements, and where there is a lock file the locks and facts that the scratch server showed.
"""

from trueup.planning.hazards.find import RULES, Lint, find
from trueup.planning.hazards.model import Finding, Level, Rule

__all__ = ["RULES", "Finding", "Level", "Lint", "Rule", "find"]
