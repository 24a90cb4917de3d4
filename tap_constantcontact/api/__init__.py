"""How the API is spoken to: requests ahead, pages, responses, errors, and limits."""
