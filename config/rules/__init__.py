"""What must hold between the parts of a configuration. One module per concern; a rule yields what breaks it."""

from config.rules.judge import RULES, judge
from config.rules.view import Rule, View

__all__ = ["RULES", "Rule", "View", "judge"]
