#!/bin/sh
# Makes .venv with what a lock names: `scripts/setup.sh run` (default) to use Encoder, `dev` to work on it; without the
# servers that tests talk to where SERVERS=none.
#
# Needs python3 >= 3.11 and nothing else: where Debian's python3 comes without pip, root installs python3-venv and
# anybody else borrows pip's wheel from Debian's archive without installing it. Quick when nothing has changed.
set -eu
cd "$(dirname "$0")/.."

lock=${1:-run}
python=${PYTHON:-python3}
venv=.venv

say() { echo "setup: $*" >&2; }

give_up() {
    say "$1"
    say "Install Python >= 3.11 with its venv module (Debian: apt-get install python3-venv), then try again."
    exit 1
}

# A stamp names all that the environment depends on; .pth files hold the folder's own path.
fingerprint() { { echo "${SERVERS:-}"; cat "requirements/$1.txt" requirements/debian.txt scripts/setup.sh; pwd; readlink -f "$venv/bin/python"; } | sha256sum; }

is_ready() { [ -x "$venv/bin/python" ] && [ "$(fingerprint "$1")" = "$(cat "$venv/.ready-$1" 2>/dev/null)" ]; }

has_venv() { "$python" -c 'import ensurepip, venv' 2>/dev/null; }

is_root() { [ "$(id -u)" = 0 ]; }

# Packages of servers start them, unless policy-rc.d says no; ours is there only meanwhile.
no_services() {
    policy=/usr/sbin/policy-rc.d
    [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && trap 'rm -f "$policy"' EXIT; }
}

apt_as_root() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -qq -y --no-install-recommends "$@" >&2 && return
    apt-get update -qq >&2 && apt-get install -qq -y --no-install-recommends "$@" >&2
}

find_python() {
    command -v "$python" >/dev/null || { is_root && command -v apt-get >/dev/null && apt_as_root python3 python3-venv; } ||
        give_up "there is no $python here."
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        give_up "$python is $("$python" -V 2>&1), and that is too old. PYTHON=… names another one."
}

# Prints the path of pip's wheel, taken out of Debian's package into a folder of our own.
borrow_pip() (
    to=$(pwd)/$venv/.apt
    mkdir -p "$to/lists/partial" "$to/cache/archives/partial"
    cd "$to"
    set -- -qq -o "Dir::State::lists=$to/lists" -o "Dir::Cache=$to/cache" -o Debug::NoLocking=1
    apt-get "$@" update >&2 && apt-get "$@" download python3-pip-whl >&2 || exit 1
    dpkg-deb -x python3-pip-whl_*.deb . && ls "$to"/usr/share/python-wheels/pip-*.whl
)

make_venv() {
    if has_venv; then
        "$python" -m venv --clear "$venv"
    elif is_root && command -v apt-get >/dev/null && say "installing python3-venv" && apt_as_root python3-venv; then
        "$python" -m venv --clear "$venv"
    elif command -v apt-get >/dev/null && say "borrowing pip from Debian's archive"; then
        "$python" -m venv --clear --without-pip "$venv"
        wheel=$(borrow_pip) || give_up "pip could not be fetched from Debian's archive."
        "$venv/bin/python" "$wheel/pip" install -q --no-index "$wheel" || give_up "pip does not run."
        rm -rf "$venv/.apt"
    else
        give_up "$python has no venv module."
    fi
}

install_servers() {
    missing=
    for package in $(sed '/^#/d' requirements/debian.txt); do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            command -v "$package" >/dev/null || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if is_root && command -v apt-get >/dev/null; then
        say "installing from Debian:$missing"
        no_services
        # shellcheck disable=SC2086  # words, one a package
        apt_as_root $missing || say "they could not be installed: tests that talk to them will fail"
    else
        say "only root can install$missing: tests that talk to them will skip"
    fi
}

install_lock() {
    say "installing requirements/$lock.txt"
    "$venv/bin/python" -m pip install -qq --require-hashes --only-binary :all: -r "requirements/$lock.txt" ||
        give_up "the packages could not be installed; the lines above say why."
}

# The package itself: its folder on the path and the command, which is all that an editable install would do.
link_package() {
    site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    pwd >"$site/encoder.pth"
    cat >"$venv/bin/encoder" <<'COMMAND'
#!/bin/sh
exec "$(dirname "$(readlink -f "$0")")/python" -P -m encoder "$@"
COMMAND
    chmod +x "$venv/bin/encoder"
}

is_ready "$lock" && exit
[ "$lock" = run ] && is_ready dev && exit  # dev holds all of run, at the same versions
"$venv/bin/python" -m pip --version >/dev/null 2>&1 || { find_python && make_venv; }
install_lock
link_package
[ "$lock" = run ] || [ "${SERVERS:-}" = none ] || install_servers
fingerprint "$lock" >"$venv/.ready-$lock"
say "ready: $venv/bin/encoder"
