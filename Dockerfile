# One image for all roles; the role is its command: `docker run IMAGE worker`. docs/operate/containers.md
#
# BASE is a slim Debian 12; in production name it by its digest. What a house needs to reach its registry goes in as
# secrets of the build (`pip`: a pip.conf, `ca`: certificates) and stays out of the image.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS base
RUN apt-get update \
    && apt-get upgrade -y \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates python3 tini \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* /usr/share/doc-base /usr/share/man/* /usr/share/locale/* \
    && groupadd --gid 10001 encoder \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin encoder \
    && install -d -m 1777 /scratch

# Thrown away, and pip with it. Some wheels carry the C along that they were made of.
FROM base AS build
RUN dpkg-query -W -f '${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n' >/debian.txt \
    && apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3-venv \
    && python3 -m venv /pip \
    && python3 -m venv --without-pip /opt/encoder
COPY requirements/image.txt /image.txt
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca \
    /pip/bin/pip --python /opt/encoder/bin/python install --no-compile --require-hashes --only-binary :all: -r /image.txt \
    && find /opt/encoder/lib -name '*.c' -delete \
    && chmod -R go=u-w /opt/encoder
# the root is read-only, so nothing could be compiled later; and whoever may not write need not look whether it is new
RUN python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/encoder/lib
COPY scripts/sbom.py /sbom.py
COPY encoder /code/encoder
RUN chmod -R go=u-w /code \
    && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash -s /code -p /opt/encoder/lib/python3.11/site-packages /code/encoder \
    && printf '#!/opt/encoder/bin/python -I\nfrom encoder.cli import main\n\nmain()\n' >/code/command \
    && chmod 755 /code/command \
    && PYTHONPATH=/code /opt/encoder/bin/python /sbom.py /debian.txt /code/doc

FROM base
COPY --from=build /opt/encoder /opt/encoder
COPY --from=build /code/encoder /opt/encoder/lib/python3.11/site-packages/encoder
COPY --from=build /code/command /opt/encoder/bin/encoder
COPY --from=build /code/doc /usr/share/doc/encoder
ARG VERSION=0 REVISION= CREATED= SOURCE= SCHEMA=
LABEL org.opencontainers.image.title="Encoder" \
      org.opencontainers.image.description="A self-hosted video encoding platform: API, worker, retention and batch in one image" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.licenses="GPL-3.0-or-later AND LicenseRef-NOTICE" \
      encoder.schema="${SCHEMA}"
ENV PATH=/opt/encoder/bin:/usr/local/bin:/usr/bin:/bin \
    LANG=C.UTF-8 \
    HOME=/nonexistent \
    ENCODER_HOST=0.0.0.0 \
    ENCODER_METRICS_PORT=9100 \
    ENCODER_SCRATCH_DIR=/scratch \
    ENCODER_LOG_FORMAT=json
WORKDIR /
USER 10001:10001
EXPOSE 8080 9100
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["encoder", "doctor", "--live"]
ENTRYPOINT ["tini", "--", "encoder"]
CMD ["--help"]
