"""The tables of facts. A change here needs a migration beside it: tests hold the two equal."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    text,
)

METADATA = MetaData()

# What the installation says of itself: city, shard, epoch, the ingest number that the services have reacted up to.
META = Table("meta", METADATA, Column("key", String, primary_key=True), Column("value", String, nullable=False))

LEAF = Table(
    "leaf",
    METADATA,
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("id", String, nullable=False, unique=True),
    Column("type", String, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("actor", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    # What a reader's Scope and question are held against; derived from the fact, and no part of the leaf.
    Column("subject", String, nullable=False),
    Column("area", String, nullable=False),
    Column("service", String, nullable=False),
    Column("verb", String, nullable=False),
    Index("leaf_at", "at_us"),
    Index("leaf_subject", "subject", "n"),
)

NODE = Table(
    "node",
    METADATA,
    Column("level", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("level", "position"),
)

# Erasable: value and salt go together, the row stays and says when and under which rule.
PERSONAL = Table(
    "personal",
    METADATA,
    Column("leaf_id", String, nullable=False),
    Column("field", String, nullable=False),
    Column("value", String),
    Column("salt", LargeBinary),
    Column("purpose", String, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Column("erased_us", BigInteger),
    Column("rule", String),
    PrimaryKeyConstraint("leaf_id", "field"),
    Index("personal_until", "until_us"),
)

HEAD = Table(
    "head",
    METADATA,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

POINT = Table(
    "point",
    METADATA,
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("name", String, nullable=False),
)

ASSET = Table(
    "asset",
    METADATA,
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("id", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("name", String, nullable=False),
    Column("area", String, nullable=False),
    Column("street", String, nullable=False),
    Column("parent", Integer, nullable=False),
    Column("reporter", Integer, nullable=False),
    Column("lon", Float, nullable=False),
    Column("lat", Float, nullable=False),
    Column("geometry", LargeBinary),
    Column("attributes", String, nullable=False),
    Column("source", String, nullable=False),
    Column("source_key", String, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("made_us", BigInteger, nullable=False),
    Column("retired_us", BigInteger),
    Index("asset_source", "source", "source_key", unique=True),
    Index("asset_area", "area"),
)

# The one table that a Scope is compiled against; from_us and until_us date it.
PLACEMENT = Table(
    "placement",
    METADATA,
    Column("asset", Integer, nullable=False),
    Column("area", String, nullable=False),
    Column("service", String, nullable=False),
    Column("verb", String, nullable=False),
    Column("public", Integer, nullable=False),
    Column("from_us", BigInteger, nullable=False),
    Column("until_us", BigInteger),
    PrimaryKeyConstraint("asset", "from_us"),
    Index("placement_area", "area", "service"),
)

# Of one name, one may speak: who was expelled may be admitted anew, with another secret.
_ADMITTED = text("expelled_us IS NULL")

# A device that may speak for assets. The secret is 256 random bits, so a plain digest tells nothing of it.
DEVICE = Table(
    "device",
    METADATA,
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("name", String, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("admitted_us", BigInteger, nullable=False),
    Column("expelled_us", BigInteger),
    Column("protocol", String, nullable=False, server_default="plain"),
    Column("uri", String, nullable=False, server_default=""),
    Index("device_name", "name", unique=True, sqlite_where=_ADMITTED, postgresql_where=_ADMITTED),
)

# What a protocol must remember of a device over a restart, in the protocol's own words: no fact, it can be asked for
# anew.
SESSION_MEMORY = Table(
    "session_memory",
    METADATA,
    Column("device", Integer, nullable=False),
    Column("part", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("device", "part"),
)

CONDITION = Table(
    "condition",
    METADATA,
    Column("id", String, primary_key=True),
    Column("asset", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),
    Column("raised_us", BigInteger, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("cleared_us", BigInteger),
    Column("evidence", String, nullable=False),
    Column("acknowledged_by", String),
    Index("condition_asset", "asset"),
    Index("condition_open", "cleared_us"),
)

# The apparatus that stood in an asset's place, one after the other.
APPARATUS = Table(
    "apparatus",
    METADATA,
    Column("asset", Integer, nullable=False),
    Column("serial", String, nullable=False),
    Column("model", String, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("until_us", BigInteger),
    PrimaryKeyConstraint("asset", "since_us"),
)

COMMAND = Table(
    "command",
    METADATA,
    Column("id", String, primary_key=True),
    Column("action", String, nullable=False),
    Column("params", String, nullable=False),
    Column("selection", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("key", String, nullable=False),
    # A digest of what was asked for: what the key is held against when it comes again.
    Column("asked", String, nullable=False, server_default=""),
    Column("state", String, nullable=False),
    Column("hazard", String, nullable=False),
    Column("area", String, nullable=False),
    Column("service", String, nullable=False),
    Column("proposed_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
    # Which automation gave it, "" for none: they give thousands a night, and a person looks for what persons gave.
    Column("automation", String, nullable=False, server_default=""),
    Index("command_state", "state"),
    Index("command_key", "actor", "key"),
    Index("command_automation", "automation", "id"),
)

# One row for each asset an order is meant for. state: its place among the states of the life "target".
TARGET = Table(
    "target",
    METADATA,
    Column("command", String, nullable=False),
    Column("asset", Integer, nullable=False),
    Column("state", Integer, nullable=False),
    Column("sent_us", BigInteger),
    Column("ended_us", BigInteger),
    Column("refusal", String),
    PrimaryKeyConstraint("command", "asset"),
    Index("target_asset", "asset"),
)

CONSIGNATION = Table(
    "consignation",
    METADATA,
    Column("id", String, primary_key=True),
    Column("asset", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("asked_by", String),
    Column("set_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
    Index("consignation_open", "ended_us"),
)

# Who may log in. Login and name are personal fields of the fact UserMade, whose id is the user's; login_digest finds
# the row, and goes with them.
USER = Table(
    "user",
    METADATA,
    Column("id", String, primary_key=True),
    Column("login_digest", LargeBinary, unique=True),
    Column("password", String),
    Column("language", String, nullable=False),
    Column("made_us", BigInteger, nullable=False),
    Column("closed_us", BigInteger),
)

ROLE = Table(
    "role",
    METADATA,
    Column("holder", String, nullable=False),
    Column("role", String, nullable=False),
    Column("area", String, nullable=False),
    Column("services", String, nullable=False),
    PrimaryKeyConstraint("holder", "role", "area"),
)

# A secret is 256 random bits, so a plain digest tells nothing of it.
SESSION = Table(
    "session",
    METADATA,
    Column("id", String, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("user", String, nullable=False),
    Column("opened_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("closed_us", BigInteger),
    Index("session_user", "user"),
)

TOKEN = Table(
    "token",
    METADATA,
    Column("id", String, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("maker", String, nullable=False),
    Column("made_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("revoked_us", BigInteger),
)

# One row a revision, so that nothing that was saved is lost; the state of a version stands at its newest one.
PLAN = Table(
    "plan",
    METADATA,
    Column("id", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("service", String, nullable=False),
    Column("area", String, nullable=False),
    Column("title", String, nullable=False),
    Column("state", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("editor", String, nullable=False),
    Column("edited_us", BigInteger, nullable=False),
    Column("approver", String, nullable=False),
    Column("approved_us", BigInteger),
    Column("ended_us", BigInteger),
    PrimaryKeyConstraint("id", "version", "revision"),
    Index("plan_state", "state"),
)

# Sealed results of comparisons, as they were told.
COMPARISON = Table(
    "comparison",
    METADATA,
    Column("id", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("teller", String, nullable=False),
    Column("told_us", BigInteger, nullable=False),
    Column("made_us", BigInteger, nullable=False),
    Column("change", String, nullable=False),
    Column("holds", Boolean, nullable=False),
)

# What each of them says of a junction. told: what is read of it in a list, as JSON.
COMPARED = Table(
    "compared",
    METADATA,
    Column("comparison", String, nullable=False),
    Column("asset", Integer, nullable=False),
    Column("change", String, nullable=False),
    Column("made_us", BigInteger, nullable=False),
    Column("shape", String, nullable=False),
    Column("told", LargeBinary, nullable=False),
    PrimaryKeyConstraint("comparison", "asset"),
    Index("compared_asset", "asset", "change", "made_us"),
)

# Cases, archived ones too. title and words are what a person wrote, as long as that is kept: the same that lies beside
# the facts `title_leaf` and `words_leaf`, and is erased with it. public, verb: as of a placement, so that a Scope reads
# this table.
CASES = Table(
    "cases",
    METADATA,
    Column("id", String, primary_key=True),
    Column("no", BigInteger, nullable=False, unique=True),
    *(Column(name, String, nullable=False) for name in ("kind", "state", "source", "category", "service", "area")),
    Column("verb", String, nullable=False),
    Column("public", Integer, nullable=False),
    Column("street", String, nullable=False),
    Column("lon", Float),
    Column("lat", Float),
    Column("priority", Integer, nullable=False),
    *(
        Column(name, String, nullable=False)
        for name in ("title", "title_leaf", "words", "words_leaf", "owner", "opener")
    ),
    Column("crew", Integer, nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in ("opened_us", "due_us", "planned_us", "moved_us")),
    Column("revision", Integer, nullable=False),
    Column("photos", Integer, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("reopened_us", BigInteger, nullable=False, server_default="0"),
    Column("document_leaf", String, nullable=False, server_default=""),
    Index("cases_opened", "kind", "opened_us", "id"),
    Index("cases_state", "kind", "state", "opened_us", "id"),
    Index("cases_due", "kind", "due_us", "id"),
    # The kind is in each of them: whoever lists cases names it, and an index with more of what is asked is preferred.
    Index("cases_area", "area", "kind"),
    Index("cases_street", "street", "kind", "opened_us", "id"),
    Index("cases_owner", "owner", "kind", "opened_us", "id"),
    Index("cases_crew", "crew", "kind", "opened_us", "id"),
    Index("cases_title", "title_leaf"),
    Index("cases_words", "words_leaf"),
)

# What a case is about; place: the first is where the work is.
CASE_ASSET = Table(
    "case_asset",
    METADATA,
    Column("case", String, nullable=False),
    Column("asset", Integer, nullable=False),
    Column("place", Integer, nullable=False),
    PrimaryKeyConstraint("case", "asset"),
    Index("case_asset_asset", "asset"),
)

# leaf: the fact that it came with; its digest lies beside that. The picture itself is a file.
CASE_PHOTO = Table(
    "case_photo",
    METADATA,
    Column("id", String, primary_key=True),
    Column("case", String, nullable=False),
    Column("leaf", String, nullable=False, unique=True),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("adder", String, nullable=False),
    Column("added_us", BigInteger, nullable=False),
    Column("erased_us", BigInteger),
    Index("case_photo_case", "case"),
)

CASE_LINK = Table(
    "case_link",
    METADATA,
    Column("case", String, nullable=False),
    Column("other", String, nullable=False),
    Column("relation", String, nullable=False),
    PrimaryKeyConstraint("case", "other"),
    Index("case_link_other", "other"),
)

# The outbox: of which cases something is to be told by mail, when that is tried next and how often it was.
# claimed: up to which leaf the mail tells that is being sent, or may have been sent; 0 for none. refused: when the
# address was refused for good; then nothing more is told.
MAIL = Table(
    "mail",
    METADATA,
    Column("case", String, primary_key=True),
    *(Column(name, BigInteger, nullable=False) for name in ("next_us", "tries", "claimed", "refused_us")),
    Index("mail_next", "next_us"),
)

# What is to be told, in the order of the leaves that it follows from. leaf: the id of the fact; its reason lies there.
MAIL_STEP = Table(
    "mail_step",
    METADATA,
    Column("case", String, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("step", String, nullable=False),
    Column("leaf", String, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    PrimaryKeyConstraint("case", "n"),
)

# Proof of service: that a street was swept, salted or collected in within an hour, with what, by nobody in particular.
SERVED = Table(
    "served",
    METADATA,
    Column("street", Integer, nullable=False),
    Column("task", String, nullable=False),
    Column("hour_us", BigInteger, nullable=False),
    Column("dosage", Float),
    PrimaryKeyConstraint("street", "task", "hour_us"),
    Index("served_hour", "hour_us"),
)

# The turns of circuits that are over. gaps: the streets that were left out, and how much of each was driven, as JSON.
TURN = Table(
    "turn",
    METADATA,
    Column("circuit", String, nullable=False),
    Column("start_us", BigInteger, nullable=False),
    Column("end_us", BigInteger, nullable=False),
    Column("streets", Integer, nullable=False),
    Column("gaps", LargeBinary, nullable=False),
    PrimaryKeyConstraint("circuit", "start_us"),
    Index("turn_end", "end_us"),
)
