"""Pages and the HTTP API of one home, on loopback."""
