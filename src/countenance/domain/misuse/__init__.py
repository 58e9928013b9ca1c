"""Signs of misuse, each a pure rule over acts: what it looks at, what it says, and when it stays silent."""
