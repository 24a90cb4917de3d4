"""The sign-in that a person does once, to get the refresh token that the tap uses from then on."""
