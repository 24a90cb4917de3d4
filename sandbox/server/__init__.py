"""The HTTP server: routes, admission, faults, paging, and the `Sandbox` that holds it all."""
