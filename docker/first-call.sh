#!/bin/sh
# From nothing to a first SCIM call: makes the secrets (once), starts PostgreSQL and Rollcall, makes a tenant
# and a key, provisions a user and reads it back. May be run again.
set -eu
cd "$(dirname "$0")/.."

secrets=${ROLLCALL_SECRETS:-docker/secrets}
base=${ROLLCALL_BASE:-http://localhost:8080}

# The folder is closed to others; the files are not, because the service reads them as its own user.
make_secrets() {
  umask 022
  mkdir -p -m 700 "$secrets"
  echo '*' >"$secrets/.gitignore"
  head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$secrets/operator-key"
  head -c 32 /dev/urandom | base64 | tr -d '\n' >"$secrets/secret-key"
  password=$(head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
  printf %s "$password" >"$secrets/postgres-password"
  printf %s "postgres://rollcall:$password@postgres:5432/rollcall" >"$secrets/database-url"
}

[ -e "$secrets/database-url" ] || make_secrets
docker compose up --build --detach --wait

# call METHOD PATH KEY [BODY]
call() {
  curl -sS -X "$1" "$base$2" -H "Authorization: Bearer $3" ${4:+-H 'Content-Type: application/json' -d "$4"}
}

operator=$(cat "$secrets/operator-key")
# A second run finds the tenant there already, and only makes another key.
call POST /api/admin/v1/tenants "$operator" '{"name":"default"}' >/dev/null
issued=$(call POST /api/admin/v1/tenants/default/api-keys "$operator" '{"name":"First key","scopes":["scim"]}')
key=$(printf %s "$issued" | sed -n 's/.*"key":"\([^"]*\)".*/\1/p')
[ -n "$key" ] || { echo "No key was issued: $issued" >&2; exit 1; }

echo "SCIM base URL: $base/api/scim/v2"
echo "API key, shown only now: $key"
echo 'Provision a user:'
call POST /api/scim/v2/Users "$key" '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}'
echo
echo 'Read it back:'
call GET '/api/scim/v2/Users?filter=userName%20eq%20%22ada%40example.com%22' "$key"
echo
