"""The OpenAPI document: made of the endpoints, once, when the server starts."""
