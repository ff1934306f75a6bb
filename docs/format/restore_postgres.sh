#!/bin/sh
# Restores the payload of a PostgreSQL database without Sluice: with tar,
# pg_restore and psql alone, by docs/format/postgres-payload.md.
#
#   restore_postgres.sh payload.bin 'host=/run/postgresql dbname=orders'
#
# The database is new and empty (createdb -T template0); roles, tablespaces and
# extensions are there already. Needs room in $TMPDIR for the whole payload.
# What it restores is visible as it comes: on an error, drop the database. It
# checks no digest; `sha256sum -c SHA256SUMS` beside the payload does.
#
# The definitions in a payload are code that runs on the server with your
# rights: restore one of a stranger as a role that is no superuser, into a
# server of its own. Nothing in a payload runs on this machine: no text of it
# reaches a shell or psql's own input. Never give schema.sql to psql.
set -eu

payload=$(realpath "$1")
database=$2
export PGCLIENTENCODING=UTF8
export LC_ALL=C

refuse() { echo "restore_postgres.sh: $*" >&2; exit 1; }

# Plain files with the names of the page, and nothing else, before one is
# unpacked: their names become paths, and numbers in statements.
names='sluice-postgres\.json|schema\.dump|schema\.sql|index\.json'
names="$names|data/[1-9][0-9]*/[0-9]{6,}\.copy"
names="$names|blobs/[0-9]{6,}\.json|blobs/[1-9][0-9]*/[0-9]{6,}"
if tar --quoting-style=escape -tf "$payload" | grep -q -v -x -E "$names"; then
  refuse "a member that no payload has"
fi
if tar --quoting-style=escape -tvf "$payload" | grep -q -v '^-'; then
  refuse "a member that is not a regular file"
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tar --no-same-owner --no-same-permissions -xf "$payload" -C "$folder"
cd "$folder"

run() { psql -X -q -v ON_ERROR_STOP=1 -d "$database" "$@"; }

# Prints the statement that base64 holds, if it is of this kind: psql takes an
# argument that begins with a backslash for a command of its own.
decoded() {
  sql=$(echo "$2" | base64 -d)
  case $sql in
    "$1 "*) printf '%s' "$sql" ;;
    *) refuse "not a statement of this script: $sql" ;;
  esac
}

# Statements travel from psql to this shell one a line, whatever names hold.
cat > common.sql <<'SQL'
SET search_path = '';
SET row_security = off;
SELECT pg_catalog.set_config('session_replication_role', 'replica', false)
  WHERE (SELECT rolsuper FROM pg_catalog.pg_roles
         WHERE rolname = current_user) \gset
\set head `cat sluice-postgres.json`
\set index `cat index.json`
CREATE FUNCTION pg_temp.line(text) RETURNS text LANGUAGE sql
  AS $$ SELECT replace(encode(convert_to($1, 'UTF8'), 'base64'), E'\n', '') $$;
-- GRANTs of `object` that make `grants` from nothing; no rows for null.
CREATE FUNCTION pg_temp.grants(object text, owner text, grants jsonb)
RETURNS TABLE (n bigint, statement text) LANGUAGE sql AS $$
  SELECT v.n, v.s FROM (VALUES
    (-1, format('REVOKE ALL ON %s FROM PUBLIC', object)),
    (0, format('REVOKE ALL ON %s FROM %I', object, owner))) v (n, s)
  WHERE jsonb_typeof(grants) = 'array'
  UNION ALL
  SELECT g.n, format(
    'SET SESSION AUTHORIZATION %I; GRANT %s ON %s TO %s%s; RESET SESSION AUTHORIZATION',
    g.j ->> 'grantor', CASE g.j ->> 'privilege'
      WHEN 'CREATE' THEN 'CREATE' WHEN 'CONNECT' THEN 'CONNECT'
      WHEN 'TEMPORARY' THEN 'TEMPORARY' WHEN 'SELECT' THEN 'SELECT'
      WHEN 'UPDATE' THEN 'UPDATE' END, object,
    CASE g.j ->> 'grantee' WHEN '' THEN 'PUBLIC'
      ELSE quote_ident(g.j ->> 'grantee') END,
    CASE WHEN (g.j ->> 'grantable')::boolean THEN ' WITH GRANT OPTION' ELSE '' END)
  FROM jsonb_array_elements(CASE jsonb_typeof(grants) WHEN 'array' THEN grants
    ELSE '[]' END) WITH ORDINALITY g (j, n)
$$;
SQL

# While the database is empty, so that nothing of the payload can have a say.
run -At -F ' ' > tables <<'SQL'
\i common.sql
SELECT (t ->> 'id')::bigint, pg_temp.line(format('COPY %I.%I%s FROM STDIN (FORMAT %s, ENCODING %L)',
  coalesce(t ->> 'root_schema', t ->> 'schema'),
  coalesce(t ->> 'root_name', t ->> 'name'),
  (SELECT ' (' || string_agg(quote_ident(c), ', ' ORDER BY n) || ')'
   FROM jsonb_array_elements_text(t -> 'columns') WITH ORDINALITY x (c, n)),
  CASE t ->> 'format' WHEN 'binary' THEN 'binary' ELSE 'text' END,
  :'head'::jsonb -> 'database' ->> 'encoding'))
FROM jsonb_array_elements(:'head'::jsonb -> 'tables') t;
SQL
run -At > waiting <<'SQL'
\i common.sql
SELECT pg_temp.line(format('REFRESH MATERIALIZED VIEW %I.%I', v ->> 'schema', v ->> 'name'))
FROM jsonb_array_elements(:'head'::jsonb -> 'materialized_views') v;
SQL

pg_restore --exit-on-error --section=pre-data -d "$database" schema.dump

# Rows: the parts of a table, joined in order, are what COPY takes. common.sql
# keeps an extension's foreign keys from wanting an order (superusers alone).
while read -r id statement; do
  [ -d "data/$id" ] || continue  # a text table without rows
  sql=$(decoded COPY "$statement")
  (cd "data/$id" && ls | sort -n | xargs cat) |
    run -c '\i common.sql' -c "$sql"
done < tables

# Large objects.
for batch in blobs/*.json; do
  [ -f "$batch" ] || continue
  cp "$batch" batch.json
  run > /dev/null <<'SQL'
\i common.sql
\set batch `cat batch.json`
CREATE TEMP TABLE blob AS SELECT j, n
  FROM jsonb_array_elements(:'batch'::jsonb -> 'blobs') WITH ORDINALITY b (j, n);
SELECT s FROM (
  SELECT n, 1 AS step, 0::bigint AS m, format('SELECT lo_create(%s)', (j ->> 'oid')::oid) AS s FROM blob
  UNION ALL
  SELECT n, 2, 0, format('ALTER LARGE OBJECT %s OWNER TO %I', (j ->> 'oid')::oid, j ->> 'owner') FROM blob
  UNION ALL
  SELECT b.n, 3, g.n, g.statement FROM blob b,
    pg_temp.grants('LARGE OBJECT ' || (j ->> 'oid')::oid, j ->> 'owner', j -> 'grants') g
  UNION ALL
  SELECT n, 4, 0, format('COMMENT ON LARGE OBJECT %s IS %L', (j ->> 'oid')::oid, j ->> 'comment')
  FROM blob WHERE j ->> 'comment' <> ''
) all_of_it ORDER BY n, step, m \gexec
SQL
done
# From here on psql takes no command but \unrestrict, where it knows \restrict.
restrict=''
if psql --help=commands | grep -q -F '\restrict'; then
  restrict="\\restrict $(od -An -N16 -tx1 /dev/urandom | tr -d ' ')"
fi
for blob in blobs/*/; do
  [ -d "$blob" ] || continue
  offset=0
  {
    printf '%s\n' "$restrict"
    ls "$blob" | sort -n | while read -r part; do
      echo "SELECT pg_catalog.lo_put($(basename "$blob"), $offset, pg_catalog.decode('$(base64 -w0 "$blob$part")', 'base64'));"
      offset=$((offset + $(stat -c %s "$blob$part")))
    done
  } | run > /dev/null
done

run > /dev/null <<'SQL'
\i common.sql
SELECT format('SELECT setval(%L, %s, %L)', format('%I.%I', s ->> 'schema', s ->> 'name'),
  (s ->> 'last_value')::bigint, (s ->> 'is_called')::boolean)
FROM jsonb_array_elements(:'index'::jsonb -> 'sequences') s \gexec
SQL

pg_restore --exit-on-error --section=post-data -d "$database" schema.dump

# Materialized views, again and again: one may read another.
while [ -s waiting ]; do
  : > failed
  while read -r statement; do
    sql=$(decoded REFRESH "$statement")
    run -c '\i common.sql' -c "$sql" > /dev/null 2> why ||
      echo "$statement" >> failed
  done < waiting
  if cmp -s waiting failed; then cat why >&2; exit 1; fi
  mv failed waiting
done

# What the database is beside its contents; settings last, they bind sessions.
run > /dev/null <<'SQL'
\i common.sql
CREATE TEMP TABLE d AS SELECT :'head'::jsonb -> 'database' AS j,
  quote_ident(current_database()) AS name;
SELECT format('ALTER DATABASE %s OWNER TO %I', name, j ->> 'owner') FROM d \gexec
SELECT g.statement FROM d, pg_temp.grants('DATABASE ' || name, j ->> 'owner', j -> 'grants') g
  ORDER BY g.n \gexec
SELECT format('COMMENT ON DATABASE %s IS %L', name, j ->> 'comment') FROM d
  WHERE j ->> 'comment' <> '' \gexec
SELECT format('ALTER DATABASE %s CONNECTION LIMIT %s IS_TEMPLATE %s', name,
  (j ->> 'connection_limit')::integer, (j ->> 'is_template')::boolean::text) FROM d \gexec
SELECT format('BEGIN; SELECT pg_catalog.set_config(%L, %L, true); ALTER %s SET %I FROM CURRENT; COMMIT',
  s ->> 'name', s ->> 'value',
  CASE s ->> 'role' WHEN '' THEN 'DATABASE ' || name
    ELSE format('ROLE %I IN DATABASE %s', s ->> 'role', name) END, s ->> 'name')
FROM d, jsonb_array_elements(j -> 'settings') s \gexec
SQL
