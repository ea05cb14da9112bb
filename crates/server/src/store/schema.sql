CREATE TABLE IF NOT EXISTS server (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS users (
    handle  BLOB PRIMARY KEY,
    email   TEXT UNIQUE COLLATE NOCASE,
    name    TEXT,
    version INTEGER NOT NULL,
    k       BLOB NOT NULL,
    proof   BLOB NOT NULL,
    salt    BLOB,
    privk   BLOB,
    pubk    BLOB,
    ts      BLOB,
    created INTEGER NOT NULL,
    quota   INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS attributes (
    user    BLOB NOT NULL REFERENCES users (handle) ON DELETE CASCADE,
    name    TEXT NOT NULL,
    value   TEXT NOT NULL,
    version TEXT NOT NULL,
    PRIMARY KEY (user, name)
) WITHOUT ROWID;

-- Session ids are kept as hashes: whoever reads the database cannot use them.
CREATE TABLE IF NOT EXISTS sessions (
    hash    BLOB PRIMARY KEY,
    user    BLOB NOT NULL REFERENCES users (handle) ON DELETE CASCADE,
    sek     BLOB,
    created INTEGER NOT NULL
) WITHOUT ROWID;

-- What users are shown of sessions, the ended ones too.
CREATE TABLE IF NOT EXISTS session_history (
    hash   BLOB PRIMARY KEY,
    id     BLOB NOT NULL UNIQUE,
    user   BLOB NOT NULL REFERENCES users (handle) ON DELETE CASCADE,
    opened INTEGER NOT NULL,
    used   INTEGER NOT NULL,
    agent  TEXT NOT NULL,
    ip     TEXT NOT NULL,
    device TEXT,
    ended  INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS session_history_by_user ON session_history (user);
INSERT INTO session_history (hash, id, user, opened, used, agent, ip)
    SELECT hash, randomblob(8), user, created, created, '', '' FROM sessions
    WHERE hash NOT IN (SELECT hash FROM session_history);

-- Secrets of second factors; one that is not active yet waits for its first code.
CREATE TABLE IF NOT EXISTS second_factors (
    user   BLOB PRIMARY KEY REFERENCES users (handle) ON DELETE CASCADE,
    secret BLOB NOT NULL,
    active INTEGER NOT NULL
) WITHOUT ROWID;

-- Ephemeral accounts that wait for their mail to be answered.
CREATE TABLE IF NOT EXISTS signups (
    user    BLOB PRIMARY KEY REFERENCES users (handle) ON DELETE CASCADE,
    code    TEXT NOT NULL UNIQUE,
    address TEXT NOT NULL COLLATE NOCASE,
    name    TEXT NOT NULL,
    k       BLOB NOT NULL,
    proof   BLOB NOT NULL,
    salt    BLOB NOT NULL,
    ts      INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS signups_by_address ON signups (address);

-- Codes that went out by mail to recover an account, to end it, or to give it another address.
CREATE TABLE IF NOT EXISTS mail_codes (
    code    TEXT PRIMARY KEY,
    purpose INTEGER NOT NULL,
    user    BLOB NOT NULL REFERENCES users (handle) ON DELETE CASCADE,
    address TEXT NOT NULL,
    ip      TEXT NOT NULL,
    ts      INTEGER NOT NULL
) WITHOUT ROWID;

-- Mails, which nobody delivers: whoever runs the server reads them.
CREATE TABLE IF NOT EXISTS outbox (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    address TEXT NOT NULL,
    kind    TEXT NOT NULL,
    link    TEXT NOT NULL,
    ts      INTEGER NOT NULL
);

-- Syncs and backups that devices register, with their last sign of life.
CREATE TABLE IF NOT EXISTS backups (
    id         BLOB PRIMARY KEY,
    user       BLOB NOT NULL REFERENCES users (handle) ON DELETE CASCADE,
    type       INTEGER NOT NULL,
    node       BLOB NOT NULL,
    folder     TEXT NOT NULL,
    device     TEXT NOT NULL,
    agent      TEXT NOT NULL,
    state      INTEGER NOT NULL,
    details    INTEGER NOT NULL,
    name       TEXT,
    beat       INTEGER,
    beat_state INTEGER,
    progress   INTEGER,
    uploads    INTEGER,
    downloads  INTEGER,
    acted      INTEGER,
    acted_on   BLOB
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS backups_by_user ON backups (user);

-- A blob's file bears its id. It is there from the first byte of an upload on, so that nothing has to be
-- renamed when the last one comes.
CREATE TABLE IF NOT EXISTS blobs (id INTEGER PRIMARY KEY AUTOINCREMENT, size INTEGER NOT NULL);

-- An old version is a file whose parent is a file.
CREATE TABLE IF NOT EXISTS nodes (
    handle BLOB PRIMARY KEY,
    parent BLOB,
    owner  BLOB NOT NULL REFERENCES users (handle) ON DELETE CASCADE,
    type   INTEGER NOT NULL,
    a      TEXT NOT NULL,
    k      TEXT NOT NULL,
    size   INTEGER,
    ts     INTEGER NOT NULL,
    fa     TEXT,
    blob   INTEGER REFERENCES blobs (id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS nodes_by_parent_and_type ON nodes (parent, type);
CREATE INDEX IF NOT EXISTS nodes_by_owner ON nodes (owner, type);
CREATE INDEX IF NOT EXISTS nodes_by_blob ON nodes (blob);

-- What each user holds: summing it up anew for each upload would make many uploads slow.
CREATE TABLE IF NOT EXISTS usage (owner BLOB PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS usage_grows AFTER INSERT ON nodes WHEN NEW.size IS NOT NULL BEGIN
    INSERT INTO usage (owner, bytes) VALUES (NEW.owner, NEW.size)
    ON CONFLICT (owner) DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER IF NOT EXISTS usage_shrinks AFTER DELETE ON nodes WHEN OLD.size IS NOT NULL BEGIN
    UPDATE usage SET bytes = bytes - OLD.size WHERE owner = OLD.owner;
END;

CREATE TABLE IF NOT EXISTS share_keys (
    share BLOB NOT NULL,
    node  BLOB NOT NULL REFERENCES nodes (handle) ON DELETE CASCADE,
    key   TEXT NOT NULL,
    PRIMARY KEY (node, share)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS share_keys_by_share ON share_keys (share);

-- Node keys of those who are not the owner, but made the node, each under his own master key.
CREATE TABLE IF NOT EXISTS user_keys (
    node BLOB NOT NULL REFERENCES nodes (handle) ON DELETE CASCADE,
    user BLOB NOT NULL REFERENCES users (handle) ON DELETE CASCADE,
    key  TEXT NOT NULL,
    PRIMARY KEY (node, user)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS user_keys_by_user ON user_keys (user);

-- Folders that everybody with their link may read.
CREATE TABLE IF NOT EXISTS exports (
    node  BLOB PRIMARY KEY REFERENCES nodes (handle) ON DELETE CASCADE,
    level INTEGER NOT NULL,
    ts    INTEGER NOT NULL
) WITHOUT ROWID;

-- Folders that are shared with users. The key is what the owner left under the other's RSA key.
CREATE TABLE IF NOT EXISTS shares (
    node  BLOB NOT NULL REFERENCES nodes (handle) ON DELETE CASCADE,
    user  BLOB NOT NULL REFERENCES users (handle) ON DELETE CASCADE,
    level INTEGER NOT NULL,
    key   TEXT,
    ts    INTEGER NOT NULL,
    PRIMARY KEY (node, user)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS shares_by_user ON shares (user);

-- Shares that wait for the invited to become a contact.
CREATE TABLE IF NOT EXISTS pending_shares (
    node    BLOB NOT NULL REFERENCES nodes (handle) ON DELETE CASCADE,
    request BLOB NOT NULL REFERENCES contact_requests (handle) ON DELETE CASCADE,
    level   INTEGER NOT NULL,
    key     TEXT,
    ts      INTEGER NOT NULL,
    PRIMARY KEY (node, request)
) WITHOUT ROWID;

-- What the owner keeps of a folder's share key, as long as the folder is shared with anybody.
CREATE TABLE IF NOT EXISTS owner_keys (
    node BLOB PRIMARY KEY REFERENCES nodes (handle) ON DELETE CASCADE,
    ok   TEXT,
    ha   TEXT
) WITHOUT ROWID;

-- Share keys that wait for their reader.
CREATE TABLE IF NOT EXISTS waiting_keys (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    user   BLOB NOT NULL REFERENCES users (handle) ON DELETE CASCADE,
    sender BLOB NOT NULL REFERENCES users (handle) ON DELETE CASCADE,
    share  BLOB NOT NULL,
    key    TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS waiting_keys_by_user ON waiting_keys (user);

-- Both directions of a contact. One that has ended stays with 0, so that both still know each other.
CREATE TABLE IF NOT EXISTS contacts (
    user    BLOB NOT NULL REFERENCES users (handle) ON DELETE CASCADE,
    other   BLOB NOT NULL REFERENCES users (handle) ON DELETE CASCADE,
    visible INTEGER NOT NULL,
    ts      INTEGER NOT NULL,
    PRIMARY KEY (user, other)
) WITHOUT ROWID;

-- Open contact requests. Whom one is for need not have an account yet.
CREATE TABLE IF NOT EXISTS contact_requests (
    handle  BLOB PRIMARY KEY,
    sender  BLOB NOT NULL REFERENCES users (handle) ON DELETE CASCADE,
    address TEXT NOT NULL COLLATE NOCASE,
    message TEXT,
    ignored INTEGER NOT NULL,
    ts      INTEGER NOT NULL,
    uts     INTEGER NOT NULL,
    linked  INTEGER NOT NULL,
    UNIQUE (sender, address)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS contact_requests_by_address ON contact_requests (address);

-- The authorisation is what lets the holder of a folder link write.
CREATE TABLE IF NOT EXISTS links (
    handle  BLOB PRIMARY KEY,
    node    BLOB NOT NULL UNIQUE REFERENCES nodes (handle) ON DELETE CASCADE,
    ts      INTEGER NOT NULL,
    expires INTEGER,
    auth    TEXT,
    down    INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- Links that lead to users.
CREATE TABLE IF NOT EXISTS contact_links (
    handle BLOB PRIMARY KEY,
    user   BLOB NOT NULL UNIQUE REFERENCES users (handle) ON DELETE CASCADE
) WITHOUT ROWID;

-- An upload is complete when it has a completion, which is the token that `p` names it by.
CREATE TABLE IF NOT EXISTS uploads (
    token      TEXT PRIMARY KEY,
    user       BLOB NOT NULL REFERENCES users (handle) ON DELETE CASCADE,
    blob       INTEGER NOT NULL UNIQUE REFERENCES blobs (id),
    size       INTEGER NOT NULL,
    raw        INTEGER NOT NULL,
    completion BLOB,
    used       INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS uploads_by_completion ON uploads (completion);

-- What has arrived of an upload is in its journal, beside the blob.
DROP TABLE IF EXISTS upload_ranges;

-- Thumbnails and the like. Whoever attaches one names it by its handle.
CREATE TABLE IF NOT EXISTS file_attributes (
    handle  BLOB PRIMARY KEY,
    data    BLOB NOT NULL,
    created INTEGER NOT NULL
);

-- Which nodes name which attributes. With the last one the attribute goes.
CREATE TABLE IF NOT EXISTS node_file_attributes (
    node      BLOB NOT NULL REFERENCES nodes (handle) ON DELETE CASCADE,
    attribute BLOB NOT NULL,
    PRIMARY KEY (node, attribute)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS node_file_attributes_by_attribute ON node_file_attributes (attribute);
CREATE TRIGGER IF NOT EXISTS file_attribute_ends AFTER DELETE ON node_file_attributes
WHEN NOT EXISTS (SELECT 1 FROM node_file_attributes WHERE attribute = OLD.attribute) BEGIN
    DELETE FROM file_attributes WHERE handle = OLD.attribute;
END;

-- Answers to requests that changed something, for clients that ask again because they got none. They go with
-- their session; one that ends a session outlives it.
CREATE TABLE IF NOT EXISTS answers (
    request BLOB PRIMARY KEY,
    session BLOB NOT NULL,
    body    TEXT NOT NULL,
    given   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answers_by_session ON answers (session);
CREATE INDEX IF NOT EXISTS answers_by_time ON answers (given);

-- What each stream of events holds: a stream is a user's or a folder link's.
CREATE TABLE IF NOT EXISTS packets (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    stream BLOB NOT NULL,
    json   TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS packets_by_stream ON packets (stream, seq);

CREATE TABLE IF NOT EXISTS tags (last INTEGER NOT NULL);
INSERT INTO tags (last) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM tags);
