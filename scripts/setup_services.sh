#!/usr/bin/env bash
# PostgreSQL and PgBouncer from the distribution, for the tests that want an older major version or a pooler.
# Where they cannot be installed this says so and succeeds: those tests are then skipped.
set -euo pipefail

missing=()
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing+=(postgresql)
command -v pgbouncer >/dev/null || [ -x /usr/sbin/pgbouncer ] || missing+=(pgbouncer)
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "not installed: ${missing[*]}; the tests that use them are skipped (as root: apt-get install ${missing[*]})" >&2
    exit 0
fi
echo "installing ${missing[*]}" >&2
# Installing must not start services of the distribution's own: the tests start theirs.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; }; then
    echo "could not install ${missing[*]}; the tests that use them are skipped" >&2
fi
