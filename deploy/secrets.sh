#!/bin/sh
# make secrets: write the passwords of docker-compose.yaml, a file each, and never overwrite one. A file that ends with -url
# has the password of another file in it, and follows that one.
#
# Compose mounts a file as it is, with its owner and mode, and the processes in the containers are other users. So each
# file may be read by all, and the folder, which they do not see, lets nobody in but you.
set -eu
cd "$(dirname "$0")/.."
folder=${SECRETS_FOLDER:-secrets}
mkdir -p "$folder"
chmod 700 "$folder"
written=

# put FILE CONTENT: write the file as a new one, so that none is ever half written.
put() {
  printf '%s\n' "$2" >"$folder/.new"
  chmod 444 "$folder/.new"
  mv -f "$folder/.new" "$folder/$1"
}

# password FILE: make a password if there is none.
password() {
  [ -s "$folder/$1" ] && return
  put "$1" "$(od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n')"
  written="$written $1"
}

for role in superuser migrate app relay audit identity; do
  password "postgres-$role"
  user=cheeper_$role
  [ "$role" = superuser ] && user=cheeper
  put "postgres-$role-url" "postgresql://$user:$(cat "$folder/postgres-$role")@postgres:5432/cheeper"
done
password grafana

# What Compose has to know of it. A line that is there already stays.
if [ -z "${SECRETS_FOLDER:-}" ]; then
  for line in 'SECRETS_FOLDER=./secrets' 'COMPOSE_PROFILES=${AUTH:-open}'; do
    grep -qs "^${line%%=*}=" .env || printf '%s\n' "$line" >>.env
  done
fi
if [ -n "$written" ]; then echo "New passwords in $folder:$written."; else echo "All passwords are in $folder already."; fi
