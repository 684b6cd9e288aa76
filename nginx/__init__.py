"""The HTTP tier before the app servers: templates, one renderer, the pages for people."""
