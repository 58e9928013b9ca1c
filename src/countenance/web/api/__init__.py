"""The JSON API under /api/v1: one module a resource, with the shapes of its requests and answers."""
