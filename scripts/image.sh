#!/bin/bash
# Builds the image of the Dockerfile and looks at it: `make image`. No registry of images is asked: its base is made of
# Debian's packages, and all goes when the script ends, but for the base in ~/.cache/encoder.
#
#   scripts/image.sh                 build it, print its sizes, run tests/image in it
#   scripts/image.sh save FILE       build it, and write it to FILE (for `podman load` or `docker load`)
#
# Needs root; installs Debian's podman where there is none.
set -euo pipefail

cd "$(dirname "$0")/.."
began=$SECONDS

say() { echo "image: $*" >&2; }

[[ $(id -u) = 0 ]] || { say "needs root: it makes a root file system"; exit 1; }
command -v podman >/dev/null && command -v runc >/dev/null || {
    say "installing podman"
    install=(apt-get install -o DPkg::Lock::Timeout=120 -qq -y --no-install-recommends podman runc)
    DEBIAN_FRONTEND=noninteractive "${install[@]}" >&2 || { apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive "${install[@]}" >&2; }
    say "podman is there after $((SECONDS - began)) s"
}

# The layers go where CI's other files are; a path of sockets must be short.
work=$(mktemp -d "${TMPDIR:-/var/tmp}/encoder-image.XXXXXX")
run=$(mktemp -d /tmp/image.XXXX)
at_end() {
    podman stop -a -t 1 >/dev/null 2>&1 || true
    podman rm -a -f >/dev/null 2>&1 || true
    umount "$work/store/overlay" 2>/dev/null || true
    rm -rf --one-file-system "$work" "$run"
}
trap at_end EXIT
trap 'exit 143' TERM INT

# Where limits may not be raised, podman must not try; and what is read by this script's tests is read by it alone.
cat >"$work/containers.conf" <<'CONF'
[containers]
default_ulimits = []
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
CONF
export CONTAINERS_CONF=$work/containers.conf
printf '[storage]\ndriver = "overlay"\ngraphroot = "%s/store"\nrunroot = "%s/run"\n' "$work" "$run" >"$work/storage.conf"
export CONTAINERS_STORAGE_CONF=$work/storage.conf

# What this machine needs to reach its registries goes in while it builds, and no further.
reach=(--network=host --volume /etc/apt:/etc/apt:O --volume /usr/share/keyrings:/usr/share/keyrings:ro)
{
    echo "[global]"
    .venv/bin/python -m pip config list 2>/dev/null | sed -nE "s/^global\.([a-z-]+)='(.*)'$/\1 = \2/p" | grep -E '^((extra-)?index-url = http|trusted-host|proxy|timeout)' || true
    [[ ! -e /etc/ssl/certs/ca-certificates.crt ]] || echo "cert = /run/secrets/ca"
} >"$work/pip.conf"
reach+=(--secret "id=pip,src=$work/pip.conf")
[[ ! -e /etc/ssl/certs/ca-certificates.crt ]] || reach+=(--secret "id=ca,src=/etc/ssl/certs/ca-certificates.crt")

build=(build --pull=never --format=docker "${reach[@]}" --build-arg BASE=localhost/base)

base=$(scripts/pristine.sh slim)
podman import -q "$base" localhost/base >/dev/null
say "the base is there after $((SECONDS - began)) s"
podman "${build[@]}" -t localhost/encoder \
    --build-arg "VERSION=$(sed -nE 's/^__version__ = "(.*)"/\1/p' encoder/__init__.py)" \
    --build-arg "REVISION=$(git rev-parse HEAD)" \
    --build-arg "CREATED=$(git log -1 --format=%cI)" \
    --build-arg "SCHEMA=$(.venv/bin/python -c 'from encoder.store.postgres import VERSION; print(VERSION)')" \
    . >"$work/build.log" 2>&1 || { tail -n 40 "$work/build.log" >&2; exit 1; }
say "built after $((SECONDS - began)) s"
if [[ ${1:-} = save ]]; then
    podman save -q -o "$2" localhost/encoder
    exit
fi
unpacked=$(podman image inspect --format '{{.Size}}' localhost/encoder)
packed=$(podman save localhost/encoder | gzip -1 | wc -c)
say "$((unpacked / 1000000)) MB, at most $((packed / 1000000)) MB packed ($((SECONDS - began)) s)"
((packed < 264000000)) || { say "a tenth more than the 240 MB that it should have packed"; exit 1; }
ENCODER_IMAGE=localhost/encoder ENCODER_IMAGE_BUILD="${build[*]}" .venv/bin/pytest -q -n 0 -p no:cacheprovider tests/image
say "passed in $((SECONDS - began)) s"
