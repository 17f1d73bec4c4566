"""Create personas, scopes and opt-outs; tell photos of one message apart, and which message carries which turn."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add tables and columns."""
    op.create_table(
        "personas",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("voice", sa.String(20), nullable=False),
        sa.Column("traits", sa.JSON(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("catchphrase", sa.Text(), nullable=False),
        sa.Column("greeting", sa.Text(), nullable=False),
        sa.Column("likes", sa.JSON(), nullable=False),
        sa.Column("temperature", sa.Double(), nullable=False),
        sa.Column("talkativeness", sa.Double(), nullable=False),
        sa.Column("avatar", sa.LargeBinary(), nullable=True),
        sa.Column("card", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_personas"),
    )
    op.create_index("ix_personas_owner_id", "personas", ["owner_id"])
    op.create_index("ix_personas_guild_id", "personas", ["guild_id"])
    op.create_table(
        "scopes",
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("target_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("persona_id", sa.String(100), nullable=True),
        sa.Column("listen", sa.String(10), nullable=True),
        sa.Column("identity", sa.String(10), nullable=True),
        sa.Column("cooldown", sa.Double(), nullable=True),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("kind", "guild_id", "target_id", name="pk_scopes"),
    )
    op.create_table(
        "opt_outs",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_opt_outs"),
    )
    if op.get_context().dialect.name == "sqlite":
        _number_once()
    op.add_column("conversations", sa.Column("photo_id", sa.BigInteger(), nullable=True))
    with op.batch_alter_table("messages") as table:
        table.add_column(sa.Column("turn_id", sa.Integer(), nullable=True))
        table.create_foreign_key("fk_messages_turn_id_turns", "turns", ["turn_id"], ["id"], ondelete="SET NULL")
    op.create_index("ix_messages_turn_id", "messages", ["turn_id"])


def downgrade() -> None:
    """Drop what was added."""
    op.drop_index("ix_messages_turn_id", "messages")
    with op.batch_alter_table("messages") as table:
        table.drop_constraint("fk_messages_turn_id_turns", type_="foreignkey")
        table.drop_column("turn_id")
    op.drop_column("conversations", "photo_id")  # not by batch, which would drop the turns along with the old table
    for name in ("opt_outs", "scopes", "personas"):
        op.drop_table(name)


def _number_once() -> None:
    """Let SQLite number no conversation or turn as a deleted one was; it can do so in new tables only."""
    op.execute("CREATE TEMPORARY TABLE kept_turns AS SELECT * FROM turns")
    op.execute("CREATE TEMPORARY TABLE kept_messages AS SELECT * FROM messages")
    for name in ("conversations", "turns"):  # the old conversations take their turns and messages along
        with op.batch_alter_table(name, recreate="always", table_kwargs={"sqlite_autoincrement": True}):
            pass
    op.execute("INSERT INTO turns SELECT * FROM kept_turns")
    op.execute("INSERT INTO messages SELECT * FROM kept_messages")
    op.execute("DROP TABLE kept_turns")
    op.execute("DROP TABLE kept_messages")
