# The tap as a source of Airbyte: docker build -t source-constantcontact:0.1.0 .
FROM python:3.12-slim

# Where Airbyte mounts its files, for a user without rights.
RUN useradd --create-home --home-dir /airbyte --uid 1000 airbyte
WORKDIR /airbyte/integration_code

COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY tap_constantcontact tap_constantcontact
RUN pip install --no-cache-dir '.[redis]'

# A platform starts containers of any user, on a disk that does not stay: tokens are handed over to
# it, and what is kept between the requests of a run is kept here.
ENV XDG_STATE_HOME=/tmp
# Airbyte starts the command itself, from another folder.
ENV AIRBYTE_ENTRYPOINT="/usr/local/bin/source-constantcontact"
USER airbyte
ENTRYPOINT ["/usr/local/bin/source-constantcontact"]
