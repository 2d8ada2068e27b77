#!/bin/sh
# make secrets: write the passwords of docker-compose.yaml, a file each, and never overwrite one. A file that has the
# password of another file in it, such as a URL, follows that one.
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

# of FILE: the password in it.
of() { cat "$folder/$1"; }

for role in superuser migrate app relay audit identity operations; do
  password "postgres-$role"
  user=cheeper_$role
  [ "$role" = superuser ] && user=cheeper
  put "postgres-$role-url" "postgresql://$user:$(of "postgres-$role")@postgres:5432/cheeper"
done

for role in migrate http worker relay process-manager projector inspector exporter; do password "kafka-$role"; done
put kafka-exporter-arguments "--sasl.enabled
--sasl.mechanism=scram-sha512
--sasl.username=cheeper.exporter
--sasl.password=$(of kafka-exporter)"

# A role has the same password in Redis and in MongoDB.
for role in admin projector read-api audit limits exporter; do password "views-$role"; done
for role in projector read-api audit; do
  put "redis-$role-url" "redis://cheeper.$role:$(of "views-$role")@redis:6379/0"
done
for role in admin projector read-api audit; do
  put "mongo-$role-url" "mongodb://cheeper.$role:$(of "views-$role")@mongo:27017/?replicaSet=rs0"
done
put limits-url "redis://cheeper.limits:$(of views-limits)@limits:6379/0"
put redis-exporter.json "{\"redis://cheeper.exporter@redis:6379\": \"$(of views-exporter)\"}"
put mongo-exporter.env "MONGODB_USER=cheeper.exporter
MONGODB_PASSWORD=$(of views-exporter)"
password mongo-key  # what the members of a replica set show each other

password grafana

# What Compose has to know of it. A line that is there already stays.
if [ -z "${SECRETS_FOLDER:-}" ]; then
  for line in 'SECRETS_FOLDER=./secrets' 'COMPOSE_PROFILES=${AUTH:-open}'; do
    grep -qs "^${line%%=*}=" .env || printf '%s\n' "$line" >>.env
  done
fi
if [ -n "$written" ]; then echo "New passwords in $folder:$written."; else echo "All passwords are in $folder already."; fi
