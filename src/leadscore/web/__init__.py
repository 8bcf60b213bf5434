"""The scores over HTTP: one endpoint, its documentation, and a server that bears bad clients."""
