# Helios: one image for web, worker, beat and migrations (docker-compose.yml says which command each runs).

FROM python:3.13-slim-trixie AS build
WORKDIR /build
COPY release release
COPY requirements.lock ./
# Without PyAV, PostgreSQL and Valkey (release/lock.py says why); every file is checked against its hash, and
# only wheels are taken, so that nothing is compiled and no package runs code while it is installed.
RUN python -m release.lock image requirements.lock > image.lock \
    && python -m venv /opt/helios/venv \
    && /opt/helios/venv/bin/pip install --no-cache-dir --no-deps --only-binary=:all: \
        --require-hashes --requirement image.lock \
    && /opt/helios/venv/bin/pip uninstall --yes pip

FROM python:3.13-slim-trixie
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ffmpeg \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 helios \
    && useradd --uid 10001 --gid helios --no-create-home --home-dir /var/lib/helios --shell /usr/sbin/nologin helios \
    && install --directory --owner helios --group helios --mode 0700 /var/lib/helios
COPY --from=build /opt/helios/venv /opt/helios/venv
# Code and packages belong to root: the process that serves requests cannot change what it runs.
COPY . /opt/helios/app
WORKDIR /opt/helios/app
ENV PATH=/opt/helios/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HELIOS_DATA_DIR=/var/lib/helios \
    HELIOS_DECODER=ffmpeg
RUN python -m compileall -q .
USER 10001:10001
VOLUME /var/lib/helios
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/livez', timeout=4)"]
CMD ["gunicorn", "helios_site.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--threads", "16", \
     "--graceful-timeout", "20", "--no-control-socket", "--limit-request-field_size", "16384", \
     "--worker-tmp-dir", "/dev/shm"]
