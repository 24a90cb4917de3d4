"""How the tap talks to the API: session, prefetching, pagination, responses, errors and limits."""
