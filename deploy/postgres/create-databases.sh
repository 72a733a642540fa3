#!/bin/sh
# A database and a role for each service; runs once, when the volume is new.
set -eu
for service in saga gateway analyzer dashboard; do
    password=$(cat "/run/secrets/$service-database-password")
    psql -v ON_ERROR_STOP=1 -v name="assay_$service" -v password="$password" -U postgres <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
done
