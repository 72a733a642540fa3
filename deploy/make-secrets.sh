#!/bin/sh
# Writes random secrets for docker compose to deploy/secrets, once; prints the operator's key.
set -eu
cd "$(dirname "$0")"
[ ! -e secrets/bootstrap-keys ] || { echo "deploy/secrets exists already; remove it to make new ones (the databases keep the old passwords)" >&2; exit 1; }
umask 022
mkdir -p secrets
chmod 700 secrets
random() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
# The folder protects the files; inside the containers a user other than root reads them.
random > secrets/postgres-password
random > secrets/metrics-key
users=
for service in saga gateway analyzer dashboard; do
    database=$(random)
    broker=$(random)
    printf '%s' "$database" > "secrets/$service-database-password"
    printf 'postgres:5432:assay_%s:assay_%s:%s\n' "$service" "$service" "$database" > "secrets/$service-pgpass"
    printf '%s' "$broker" > "secrets/$service-broker-password"
    users="$users,\"$service\":\"$broker\""
done
# Who signs in to RabbitMQ's console, and a producer of another team.
console=$(random)
producer=$(random)
printf '%s' "$console" > secrets/console-broker-password
printf '%s' "$producer" > secrets/producer-broker-password
key="assay_$(random)"
printf 'operator bootstrap %s\n' "$key" > secrets/bootstrap-keys
node rabbitmq/definitions.mjs "{${users#,},\"console\":\"$console\",\"producers\":{\"producer\":\"$producer\"}}" > secrets/rabbitmq-definitions.json
[ -e engines.env ] || cp engines.env.example engines.env
grep -qs '^ASSAY_ENGINES=' ../.env || echo 'ASSAY_ENGINES=./deploy/engines.env' >> ../.env
echo "operator key: $key"
echo "RabbitMQ console: user console, password in deploy/secrets/console-broker-password"
