#!/bin/bash
# The two commands on a machine that has nothing: `make demo` and `make test` in a clean Debian 12 root that holds
# only python3 and make, once as root and once as a plain user without sudo. What is tried is a clone of HEAD.
#
#   scripts/fresh.sh [root|user]...      default: both
#   FRESH_COMMANDS="make demo"           other commands, separated by ";"
#
# Needs root. The pristine root is kept in ~/.cache/encoder; all else goes when the script ends, however it ends.
set -euo pipefail

here=$(realpath "$(dirname "$0")/..")
commands=${FRESH_COMMANDS:-make demo; make test}

say() { echo "fresh: $*" >&2; }

# How this machine reaches its registries: names, certificates, apt's and pip's settings.
take_over() {
    local room=$1 file
    rm -rf "$room"/etc/apt/sources.list*
    for file in /etc/{resolv.conf,hosts,pip.conf,apt,ssl/certs/ca-certificates.crt} /usr/share/keyrings /usr/local/share/ca-certificates; do
        [[ -e $file ]] && mkdir -p "$room$(dirname "$file")" && cp -rL --no-preserve=ownership "$file" "$room$(dirname "$file")/"
    done
    file=${XDG_CONFIG_HOME:-$HOME/.config}/pip/pip.conf
    [[ ! -e $file ]] || install -D -m 644 "$file" "$room/etc/xdg/pip/pip.conf"
}

# Runs in mount and pid namespaces of its own: what is mounted or started here ends with it.
enter() {
    local room=$1 name=$2 home=$3 id kept
    mount -t proc proc "$room/proc"
    mount --rbind /dev "$room/dev"
    mount --rbind /sys "$room/sys"  # with the cgroups that tests make
    if [[ -d $here/../shared ]]; then
        mkdir -p "$room$home/shared"
        mount --bind "$here/../shared" "$room$home/shared"
        mount -o remount,ro,bind "$room$home/shared"
    fi
    id=$(chroot "$room" id -u "$name")
    mapfile -t kept < <(env | grep -E '^(PIP_|[A-Z_]*CERT|[A-Z_]*CA_BUNDLE|https?_proxy|no_proxy)[^=]*=' || true)
    ! command -v npm >/dev/null || kept+=("npm_config_registry=$(npm config get registry 2>/dev/null)")
    cd /
    exec chroot "$room" setpriv --reuid "$id" --regid "$id" --clear-groups env --default-signal -i "${kept[@]}" \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" USER="$name" LANG=C.UTF-8 \
        bash -euc "cd ~/encoder; $commands"
}

run_as() {
    local name=$1 room=$rooms/$1 home=/root began=$SECONDS
    say "as $name: $commands"
    mkdir "$room" && tar -C "$room" -xf "$("$here/scripts/pristine.sh")"
    take_over "$room"
    [[ $name = root ]] || { home=/home/$name && chroot "$room" useradd -m -s /bin/bash "$name"; }
    git clone -q --no-hardlinks "$here" "$room$home/encoder"  # two clones at once would see each other's links
    chroot "$room" chown -R "$name:" "$home"
    unshare --mount --pid --fork --kill-child -- "$0" --enter "$room" "$name" "$home" </dev/null &
    wait $!
    say "as $name: passed in $((SECONDS - began)) s"
    rm -rf --one-file-system "$room"
}

if [[ ${1:-} = --enter ]]; then enter "${@:2}"; fi
[[ $(id -u) = 0 ]] || { say "needs root: it makes root file systems"; exit 1; }
[[ -z $(git -C "$here" status --porcelain) ]] || say "what is not committed is not tried"
rooms=$(mktemp -d "${TMPDIR:-/var/tmp}/encoder-fresh.XXXXXX")
trap 'kill $(jobs -p) 2>/dev/null || true; wait || true; rm -rf --one-file-system "$rooms"' EXIT
trap 'exit 143' TERM
for name in "${@:-root user}"; do for one in $name; do run_as "$one"; done; done
