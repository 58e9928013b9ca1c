"""A small web of wholly synthetic people on loopback, and a run of the product over it. Not part of the wheel."""
