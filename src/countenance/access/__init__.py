"""People and programs at the door: bearer tokens with scopes, one-time links, browser sessions."""
