# The web server of the container test; not part of what is shipped.
FROM debian:bookworm-slim
RUN apt-get update -q && apt-get install -q -y --no-install-recommends python3-minimal libpython3-stdlib >/dev/null
COPY tests/deploy/origin.py /origin.py
USER 10001
CMD ["python3", "/origin.py", "8000"]
