"""The image without a container engine: the steps of the Dockerfile in a system of files."""
