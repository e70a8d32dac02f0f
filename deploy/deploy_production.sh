#!/usr/bin/env bash
# Build, migrate, and only if that ended well start what is new. The exit code is the migration's.
set -euo pipefail
cd "$(dirname "$0")"

compose=(docker compose -f docker-compose.yml -f docker-compose.prod.yml)

"${compose[@]}" build --no-cache --progress=plain
"${compose[@]}" run --rm migrate || {
    code=$?
    echo "the migration ended with $code; what ran before is still running, nothing new was started" >&2
    exit "$code"
}
"${compose[@]}" up -d --remove-orphans
