"""Handlers speak HTTP: they read a request and choose an answer."""
