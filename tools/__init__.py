"""Small checks that `make` and the tests run on the project itself."""
