"""A made-up organisation's year of searching, most of it honest, some of it not, and what was true."""
