# Sourced by setup.sh and lock.sh: find a Python that can make virtual environments; leaves it in $python.

say() { printf '%s\n' "$*" >&2; }

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            python=$(command -v "$candidate")
            return
        fi
    done
    say "Wanted Python 3.11 or newer, found: $(python3 --version 2>&1 || true)."
    say ""
    say "hint: install one (Debian 12, Ubuntu 24.04: apt-get install python3 python3-venv), or name one: make PYTHON=/path/to/python3"
    exit 2
}

# Debian keeps `ensurepip`, without which a virtual environment has no pip, in a package of its own.
need_venv() {
    "$python" -c 'import ensurepip, venv' 2>/dev/null && return
    local package
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing $package"
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null
        "$python" -c 'import ensurepip, venv' 2>/dev/null && return
    fi
    say "$python cannot make virtual environments: its module ensurepip is missing."
    say ""
    say "hint: install it (as root: apt-get update && apt-get install $package), then run make again"
    exit 2
}
