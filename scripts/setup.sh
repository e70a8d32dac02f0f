#!/usr/bin/env bash
# Make the virtual environment in $1: the pinned dependencies, and both packages as editable installs.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:-.venv}
# shellcheck source=scripts/python.sh
. scripts/python.sh

if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    find_python
    need_venv
    say "making $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv"
fi
say "installing the dependencies of requirements.lock"
export PIP_DISABLE_PIP_VERSION_CHECK=1
"$venv/bin/python" -m pip install --quiet --requirement requirements.lock
"$venv/bin/python" -m pip install --quiet --no-deps --no-build-isolation \
    --editable packages/trueup --editable packages/prosaas
say "ready: $venv/bin/trueup and $venv/bin/prosaas"
