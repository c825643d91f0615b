-- The steps of the schema, which schema.ts runs. A released step never changes. Every comment is a line of its own.

-- Step 1: users, sessions and tickets.
-- Every change that depends on a row also increments its "changes", see rules.ts.
CREATE TABLE IF NOT EXISTS gatehouse_user (
  login text COLLATE "C" PRIMARY KEY, id text COLLATE "C" NOT NULL, password_hash text NOT NULL,
  iterations bigint NOT NULL, registered_at bigint NOT NULL, groups text NOT NULL, is_admin boolean NOT NULL,
  disabled boolean NOT NULL, changes bigint NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS gatehouse_user_by_id ON gatehouse_user (id ASC);
CREATE INDEX IF NOT EXISTS gatehouse_user_by_iterations ON gatehouse_user (iterations ASC);
CREATE INDEX IF NOT EXISTS gatehouse_user_admin ON gatehouse_user (login) WHERE is_admin;
CREATE TABLE IF NOT EXISTS gatehouse_session (
  id text COLLATE "C" PRIMARY KEY,
  login text COLLATE "C" NOT NULL REFERENCES gatehouse_user (login) ON DELETE CASCADE,
  secret_hash text NOT NULL, created_at bigint NOT NULL, last_seen_at bigint NOT NULL,
  user_agent text NOT NULL, address text NOT NULL);
CREATE INDEX IF NOT EXISTS gatehouse_session_by_login ON gatehouse_session (login);
CREATE INDEX IF NOT EXISTS gatehouse_session_by_created_at ON gatehouse_session (created_at ASC);
CREATE INDEX IF NOT EXISTS gatehouse_session_by_last_seen_at ON gatehouse_session (last_seen_at ASC);
CREATE TABLE IF NOT EXISTS gatehouse_ticket (
  secret_hash text COLLATE "C" PRIMARY KEY, purpose text NOT NULL, login text COLLATE "C" NOT NULL,
  reset_login text COLLATE "C" REFERENCES gatehouse_user (login) ON DELETE CASCADE, expires_at bigint NOT NULL);
CREATE INDEX IF NOT EXISTS gatehouse_ticket_by_reset_login ON gatehouse_ticket (reset_login);
CREATE TABLE IF NOT EXISTS gatehouse_turn (name text PRIMARY KEY, changes bigint NOT NULL);
INSERT INTO gatehouse_turn (name, changes) VALUES ('admins', 0), ('setup', 0) ON CONFLICT (name) DO NOTHING;

-- Step 2: limits, see lib/limits/postgres_limit_store.ts.
-- Double precision, as token buckets refill in fractions of milliseconds.
CREATE TABLE IF NOT EXISTS gatehouse_count (
  kind text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, full_at double precision NOT NULL DEFAULT 0,
  wrong_count bigint NOT NULL DEFAULT 0, open_count bigint NOT NULL DEFAULT 0, opened_at bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (kind, key));

-- Step 3: who has created a ticket.
-- An instance of the previous version still inserts tickets with the default id "", for which idOfOldTicket computes
-- the id. Hence the index is not unique.
ALTER TABLE gatehouse_ticket ADD COLUMN IF NOT EXISTS id text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE gatehouse_ticket ADD COLUMN IF NOT EXISTS maker text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE gatehouse_ticket ADD COLUMN IF NOT EXISTS created_at bigint NOT NULL DEFAULT 0;
UPDATE gatehouse_ticket SET id = '0000000000' || upper(substr(secret_hash, 1, 16)) WHERE id = '';
CREATE INDEX IF NOT EXISTS gatehouse_ticket_by_id ON gatehouse_ticket (id ASC);
CREATE INDEX IF NOT EXISTS gatehouse_ticket_by_maker ON gatehouse_ticket (maker);

-- Step 4: what it takes to verify a password hash, and keys that the service has made.
-- "iterations" has the cost of PBKDF2. For every other kind it is 0, and "work" has kind and cost. An instance of the
-- previous version, which still runs, sets "iterations" alone: then "work" is outdated and does not count.
ALTER TABLE gatehouse_user ADD COLUMN IF NOT EXISTS work text COLLATE "C" NOT NULL DEFAULT '';
DROP INDEX IF EXISTS gatehouse_user_by_iterations;
CREATE TABLE IF NOT EXISTS gatehouse_secret (name text COLLATE "C" PRIMARY KEY, value text NOT NULL);

-- Step 5: credentials, and what has proved the identity of a session's user.
-- An instance of the previous version inserts sessions with the defaults: 0 stands for "created_at".
ALTER TABLE gatehouse_session ADD COLUMN IF NOT EXISTS factors text NOT NULL DEFAULT 'password';
ALTER TABLE gatehouse_session ADD COLUMN IF NOT EXISTS authenticated_at bigint NOT NULL DEFAULT 0;
CREATE TABLE IF NOT EXISTS gatehouse_credential (
  key text COLLATE "C" PRIMARY KEY, id text COLLATE "C" NOT NULL,
  login text COLLATE "C" NOT NULL REFERENCES gatehouse_user (login) ON DELETE CASCADE,
  kind text NOT NULL, name text NOT NULL, created_at bigint NOT NULL, last_used_at bigint NOT NULL,
  secret text NOT NULL, counter bigint NOT NULL, sign_count bigint NOT NULL);
CREATE INDEX IF NOT EXISTS gatehouse_credential_by_login ON gatehouse_credential (login);

-- Step 6: the sites that a session is logged in at. An instance of the previous version inserts sessions without.
ALTER TABLE gatehouse_session ADD COLUMN IF NOT EXISTS sites text NOT NULL DEFAULT '';
