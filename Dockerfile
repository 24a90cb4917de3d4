# The tap, and the tap as a source of Airbyte: docker build -t source-constantcontact .
FROM python:3.13-slim-trixie

# The workflow of a release says which version this is; the package knows by itself.
ARG VERSION=unreleased
LABEL org.opencontainers.image.title="source-constantcontact" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.licenses="Apache-2.0" \
    io.airbyte.name="source-constantcontact" \
    io.airbyte.version="$VERSION"

# Where Airbyte mounts its files, for a user without rights; any other user may enter it too.
RUN useradd --create-home --home-dir /airbyte --uid 1000 airbyte && chmod 755 /airbyte
WORKDIR /airbyte/integration_code

COPY pyproject.toml README.md LICENSE ./
COPY constraints/tap.txt constraints/
COPY tap_constantcontact tap_constantcontact
COPY schemas schemas
RUN pip install --no-cache-dir --constraint constraints/tap.txt '.[redis]'

# A platform starts containers of any user, on a disk that does not stay: tokens are handed over to
# it, and what is kept between the requests of a run is kept here.
ENV XDG_STATE_HOME=/tmp
# Airbyte starts the command itself, from another folder.
ENV AIRBYTE_ENTRYPOINT="/usr/local/bin/source-constantcontact"
USER airbyte
ENTRYPOINT ["/usr/local/bin/source-constantcontact"]
