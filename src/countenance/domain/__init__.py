"""Words and rules, without input or output."""
