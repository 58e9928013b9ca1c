"""Countenance: a face search engine that answers for itself.

Importing this package has no effect and loads nothing heavy. The Python interface is
:func:`countenance.app.open_home`.
"""

__version__ = "0.1.0"
