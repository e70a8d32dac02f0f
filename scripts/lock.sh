#!/usr/bin/env bash
# Resolve what the packages and the tools need, and write requirements.lock: one name==version per line.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/python.sh
. scripts/python.sh

find_python
need_venv
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PIP_DISABLE_PIP_VERSION_CHECK=1
"$python" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --upgrade pip # for --group
"$work/venv/bin/pip" install --quiet --group dev packages/trueup packages/prosaas
{
    echo "# Written by \`make lock\`. Do not edit."
    "$work/venv/bin/pip" list --format=freeze --exclude pip --exclude setuptools --exclude trueup --exclude prosaas
} >"$work/requirements.lock"
mv "$work/requirements.lock" requirements.lock
say "wrote requirements.lock: $(grep -c == requirements.lock) packages"
