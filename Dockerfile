# The daemon as an image. `docker build .` makes it with a browser; `--target slim` leaves the browser out, for
# schedules without browser checks.
#
#   docker run -v ./critpath.yaml:/etc/critpath/critpath.yaml:ro -v critpath:/var/lib/critpath -p 9808:9808 critpath
#
# In critpath.yaml keep the store in the volume (store.url: sqlite:////var/lib/critpath/critpath.db) and listen where
# the outside can reach it (web.listen: 0.0.0.0:9808).

FROM debian:trixie-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 python3-hatchling python3-venv \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# What changes rarely comes first: the locked packages, each checked against its hash.
COPY requirements.lock ./
RUN python3 -m venv /opt/critpath \
 && /opt/critpath/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements.lock
# The wheel is installed, never a checkout: what is not in the wheel is not in the image.
COPY . .
RUN python3 -m hatchling build -t wheel -d /dist \
 && /opt/critpath/bin/pip install --no-cache-dir --no-index --no-deps /dist/*.whl \
 && /opt/critpath/bin/pip check \
 && /opt/critpath/bin/pip uninstall -q -y pip

# All of the image but the program, so that a new version of it is one small layer.
FROM debian:trixie-slim AS base
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 \
 && apt-get clean && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 critpath \
 && useradd --uid 10001 --gid critpath --home-dir /var/lib/critpath --no-create-home --shell /usr/sbin/nologin critpath \
 && install -d -o critpath -g critpath -m 0750 /var/lib/critpath \
 && install -d /etc/critpath
# PYTHONSAFEPATH: a file or a mounted folder named like one of our packages must not shadow it.
ENV PATH=/opt/critpath/bin:/usr/bin:/bin \
    PYTHONSAFEPATH=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
LABEL org.opencontainers.image.title="critpath" \
      org.opencontainers.image.description="Synthetic critical-path monitoring" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 10001:10001
WORKDIR /var/lib/critpath
VOLUME /var/lib/critpath
EXPOSE 9808
# Alive, not ready: whether the target is well must never restart the daemon.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "-c", "\
import os, urllib.request as r; \
port = os.environ.get('CRITPATH_WEB__LISTEN', ':9808').rpartition(':')[2]; \
r.build_opener(r.ProxyHandler({})).open(f'http://127.0.0.1:{port}/-/healthy', timeout=4)"]
ENTRYPOINT ["critpath"]
CMD ["run", "-c", "/etc/critpath/critpath.yaml"]

FROM base AS slim
COPY --from=build /opt/critpath /opt/critpath
COPY config/example.yaml /usr/share/doc/critpath/example.yaml

FROM base AS browser
USER root
RUN apt-get update \
 && apt-get install -y --no-install-recommends chromium fonts-dejavu-core \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
# Chromium's own sandbox needs what a container refuses. The container is the sandbox: it runs as nobody in particular,
# holds nothing but this, and visits nothing but the target.
ENV CRITPATH_BROWSER__SANDBOX=off
USER 10001:10001

FROM browser AS full
COPY --from=build /opt/critpath /opt/critpath
COPY config/example.yaml /usr/share/doc/critpath/example.yaml
