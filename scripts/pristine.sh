#!/bin/bash
# Prints the path of a tar of a clean Debian 12 that holds only python3 and make; `slim`: of one without them and without
# documents, as the slim images of Debian are. Made once and kept in ~/.cache/encoder; who comes meanwhile waits for it.
# Needs root.
set -euo pipefail

suite=bookworm
cache=${XDG_CACHE_HOME:-$HOME/.cache}/encoder

say() { echo "pristine: $*" >&2; }

# The machine's own mirror, so that a site's archive is used where it has one.
mirror() {
    apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
        awk -v suite="$suite" '$2 == suite { print $1; exit }'
}

pristine() {
    command -v debootstrap >/dev/null || { apt-get update && apt-get install -o DPkg::Lock::Timeout=120 -y debootstrap; } >&2
    say "making a clean $suite"
    debootstrap --variant=minbase --include=python3,make "$suite" "$room" "$(mirror)" >"$room.log" ||
        { tail -n 20 "$room.log" >&2; return 1; }
}

slim() {
    tar -C "$room" -xf "$("$0")"
    printf 'path-exclude /usr/share/%s/*\n' doc groff info linda lintian locale man >"$room/etc/dpkg/dpkg.cfg.d/slim"
    echo 'path-include /usr/share/doc/*/copyright' >>"$room/etc/dpkg/dpkg.cfg.d/slim"
    chroot "$room" dpkg-query -W -f '${Package} ${Priority}\n' | awk '$2 != "required" && $1 != "apt" { print $1 }' |
        xargs chroot "$room" apt-mark -q auto >/dev/null
    chroot "$room" apt-get -qq -y -o Dpkg::Use-Pty=0 purge --auto-remove make python3 >&2
    find "$room"/usr/share/{doc,groff,info,lintian,locale,man} "$room"/var/{cache,lib/apt/lists,log} -type f ! -name copyright -delete 2>/dev/null || true
}

kind=${1:-pristine}
tar=$cache/$suite$([[ $kind = pristine ]] || echo "-$kind").tar
mkdir -p "$cache"
exec {making}>"$tar.lock"
flock "$making"
if [[ ! -e $tar ]]; then
    work=$(mktemp -d "${TMPDIR:-/var/tmp}/encoder-pristine.XXXXXX")
    room=$work/root
    trap 'rm -rf --one-file-system "$work"' EXIT
    mkdir "$room"
    "$kind"
    tar -C "$room" -cf "$tar.part" . && mv "$tar.part" "$tar"
fi
echo "$tar"
