"""Proxy logs → visits and searches: formats, site profiles, sessions, findings."""
