#!/bin/sh
# The password comes from the environment, not from the image.
set -eu
umask 077
printf '"prosaas" "%s"\n' "$POSTGRES_PASSWORD" >/run/prosaas/users.txt
exec pgbouncer /etc/prosaas/pgbouncer.ini
