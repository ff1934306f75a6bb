-- At least one row of a user's in each catalog that a backup must carry:
-- round_trip_test.cc counts them. Roles are the cluster's, made by the test.
CREATE SCHEMA app AUTHORIZATION alice;
CREATE SCHEMA "odd ""schema""";
CREATE EXTENSION hstore SCHEMA app;
CREATE EXTENSION pgstattuple SCHEMA app;
GRANT EXECUTE ON FUNCTION app.pgstattuple(regclass) TO carol;

-- Types.
CREATE TYPE app.mood AS ENUM ('sad', 'ok');
ALTER TYPE app.mood ADD VALUE 'fine' BEFORE 'ok';
CREATE DOMAIN app.positive AS integer DEFAULT 1 CHECK (VALUE > 0);
CREATE TYPE app.pair AS (left_side regclass, right_side text);
CREATE TYPE app.spans AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE DOMAIN app.tables AS regclass[];
CREATE COLLATION app.german (provider = icu, locale = 'de');
CREATE TYPE app.shell;
CREATE FUNCTION app.shell_in(cstring) RETURNS app.shell IMMUTABLE STRICT LANGUAGE internal AS 'int4in';
CREATE FUNCTION app.shell_out(app.shell) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'int4out';
CREATE TYPE app.shell (INPUT = app.shell_in, OUTPUT = app.shell_out, LIKE = integer);

-- Code.
CREATE FUNCTION app.twice(integer) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 2';
CREATE PROCEDURE app.nothing() LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION app.moody(app.mood) RETURNS text IMMUTABLE LANGUAGE sql RETURN $1::text || '!';
CREATE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
CREATE FUNCTION app.mod_eq(integer, integer) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT $1 % 10 = $2 % 10';
CREATE OPERATOR app.=% (LEFTARG = integer, RIGHTARG = integer, FUNCTION = app.mod_eq, COMMUTATOR = OPERATOR(app.=%));
CREATE OPERATOR FAMILY app.loose USING btree;
CREATE OPERATOR CLASS app.pairs FOR TYPE int8 USING hash AS OPERATOR 1 =, FUNCTION 1 hashint8(int8);
CREATE CAST (app.mood AS integer) WITH INOUT AS ASSIGNMENT;
CREATE CONVERSION app.conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
CREATE FUNCTION app.handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE LANGUAGE pl2 HANDLER app.handler;
CREATE TRANSFORM FOR app.pair LANGUAGE sql (FROM SQL WITH FUNCTION varchar_support(internal));
CREATE TEXT SEARCH DICTIONARY app.dict (TEMPLATE = simple, STOPWORDS = english);
CREATE TEXT SEARCH CONFIGURATION app.conf (COPY = english);
ALTER TEXT SEARCH CONFIGURATION app.conf ALTER MAPPING FOR asciiword WITH app.dict;
CREATE TEXT SEARCH PARSER app.parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH TEMPLATE app.template (INIT = dsimple_init, LEXIZE = dsimple_lexize);

-- Tables of every kind.
CREATE TABLE app.orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  amount numeric NOT NULL CHECK (amount >= 0),
  doubled numeric GENERATED ALWAYS AS (amount * 2) STORED,
  note text COLLATE app.german, feeling app.mood, n app.positive,
  span app.spans, tags app.hstore, made app.shell,
  at timestamptz DEFAULT '2026-01-01 00:00:00+00', raw bytea,
  EXCLUDE USING gist (int8range(id, id + 1) WITH &&));
INSERT INTO app.orders (amount, note, feeling, n, span, tags, made, raw)
  SELECT i, CASE WHEN i % 7 > 0 THEN E'line\n\t\\ ' || i END, 'fine', i, app.spans(i, i + 1), app.hstore('k', i::text),
         i::text::app.shell, decode(md5(i::text), 'hex') FROM generate_series(1, 300) i;
CREATE TABLE app.heap_2 USING heap2 AS SELECT 1 AS a;
CREATE TABLE app."Odd ""Table""" ("a b" integer, "C" text, "dropped" text);
INSERT INTO app."Odd ""Table""" VALUES (1, 'x', 'y');
ALTER TABLE app."Odd ""Table""" DROP COLUMN "dropped";
CREATE TABLE app.bare ();
INSERT INTO app.bare SELECT FROM generate_series(1, 3);
CREATE UNLOGGED TABLE app.fleeting AS SELECT 1 AS a;
CREATE TABLE app.parent (a integer, b text);
CREATE TABLE app.child (c integer) INHERITS (app.parent);
INSERT INTO app.parent VALUES (1, 'p');
INSERT INTO app.child VALUES (2, 'c', 3);
CREATE TABLE app.events (at date, x integer) PARTITION BY RANGE (at);
CREATE TABLE app.events_1 PARTITION OF app.events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE app.events_rest PARTITION OF app.events DEFAULT;
INSERT INTO app.events VALUES ('2020-05-05', 1), ('2022-01-01', 2);
-- An enum is hashed by its oid, which is another on another server.
CREATE TABLE app.by_mood (m app.mood, x integer) PARTITION BY HASH (m);
CREATE TABLE app.by_mood_0 PARTITION OF app.by_mood FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE app.by_mood_1 PARTITION OF app.by_mood FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO app.by_mood SELECT m, i FROM unnest(enum_range(NULL::app.mood)) m, generate_series(1, 5) i;
-- Names of objects travel as names, however deep they lie.
CREATE TABLE app.names (c regclass, a regclass[], d app.tables, p app.pair, ps app.pair[], t regtype, f regprocedure, r regrole);
INSERT INTO app.names VALUES ('app.orders', '{app.orders,app.names}', '{app.parent}', ('app.child', 'x'),
  ARRAY[('app.bare', 'y')::app.pair], 'app.mood', 'app.twice(integer)', 'alice');
CREATE TABLE app.secret (who text);
INSERT INTO app.secret VALUES ('a'), ('b');
ALTER TABLE app.secret OWNER TO carol;
ALTER TABLE app.secret ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.secret FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON app.secret TO carol USING (false);
CREATE SEQUENCE app.counter INCREMENT -3 MINVALUE -1000 MAXVALUE 10 START 4;
SELECT nextval('app.counter'), nextval('app.counter');
CREATE STATISTICS app.stats ON amount, n FROM app.orders;
ALTER TABLE app.orders ALTER COLUMN note SET STATISTICS 7, ALTER COLUMN raw SET STORAGE EXTERNAL;
CREATE INDEX expression ON app.orders (app.twice(n)) WHERE amount > 5;
CREATE TABLE app.refers (o bigint REFERENCES app.orders DEFERRABLE);
INSERT INTO app.refers VALUES (1), (300);

-- What hangs on tables.
CREATE VIEW app.v AS SELECT count(*) FROM app.orders;
CREATE MATERIALIZED VIEW app.sums AS SELECT sum(amount) FROM app.orders;
CREATE MATERIALIZED VIEW app.a_on_top AS SELECT * FROM app.sums;
CREATE MATERIALIZED VIEW app.unpopulated AS SELECT 1 AS one WITH NO DATA;
CREATE FUNCTION app.fires() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not at a restore''; END';
CREATE TRIGGER t BEFORE INSERT ON app.parent EXECUTE FUNCTION app.fires();
ALTER TABLE app.parent ENABLE ALWAYS TRIGGER t;
CREATE RULE r AS ON INSERT TO app.bare DO INSTEAD NOTHING;
CREATE PUBLICATION pub FOR TABLE app.orders, TABLES IN SCHEMA app;
CREATE SUBSCRIPTION sub CONNECTION 'host=nowhere.invalid' PUBLICATION pub WITH (connect = false);
CREATE FOREIGN DATA WRAPPER far;
CREATE SERVER far_server FOREIGN DATA WRAPPER far OPTIONS (host 'it''s');
CREATE USER MAPPING FOR alice SERVER far_server OPTIONS ("user" 'bob');
CREATE FOREIGN TABLE app.distant (a integer OPTIONS (x 'y')) SERVER far_server;

-- Large objects, rights, comments.
SELECT lo_from_bytea(7001, decode(repeat('00ff10', 1000), 'hex'));
SELECT lo_create(7002);
ALTER LARGE OBJECT 7001 OWNER TO alice;
GRANT SELECT ON LARGE OBJECT 7001 TO carol;
COMMENT ON LARGE OBJECT 7002 IS 'empty';
GRANT SELECT, INSERT (a) ON app.parent TO carol WITH GRANT OPTION;
REVOKE ALL ON FUNCTION app.twice FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE alice GRANT SELECT ON TABLES TO carol;
ALTER DEFAULT PRIVILEGES FOR ROLE alice IN SCHEMA app GRANT EXECUTE ON FUNCTIONS TO carol;
REVOKE EXECUTE ON FUNCTION app.skeys(app.hstore) FROM PUBLIC;
COMMENT ON COLUMN app.orders.note IS 'it''s a
note';
COMMENT ON SCHEMA public IS 'changed';
CREATE FUNCTION app.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not at a restore''; END';
CREATE EVENT TRIGGER zz ON ddl_command_end EXECUTE FUNCTION app.on_ddl();
