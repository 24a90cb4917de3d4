"""The sign-in that a person does once: it gets the refresh token that the tap goes on with."""
