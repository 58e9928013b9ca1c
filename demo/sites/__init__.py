"""The five sites of the demo web, one module each."""
