#!/bin/sh
# A database and a role for each service; runs once, when the volume is new.
set -eu
secrets=${SECRETS:-/run/secrets}
for service in saga gateway analyzer dashboard; do
    password=$(cat "$secrets/$service-database-password")
    # Keys are compared as bytes: cheaper than in a language's order, and the order stays when the image's C library changes its own.
    psql -v ON_ERROR_STOP=1 -v name="assay_$service" -v password="$password" -U postgres <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name" TEMPLATE template0 LC_COLLATE 'C';
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
done
