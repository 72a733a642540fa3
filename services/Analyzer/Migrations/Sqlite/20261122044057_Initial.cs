using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.Analyzer.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "analyzed_batch",
                columns: table => new
                {
                    batch_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    audit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    engine = table.Column<string>(type: "TEXT", maxLength: 200, nullable: false),
                    engine_kind = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    simulated = table.Column<bool>(type: "INTEGER", nullable: false),
                    call_keys = table.Column<string>(type: "TEXT", nullable: false),
                    coverage = table.Column<string>(type: "TEXT", nullable: false),
                    spent_micro_usd = table.Column<long>(type: "INTEGER", nullable: false),
                    analyzed_at = table.Column<DateTime>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_analyzed_batch", x => x.batch_id);
                });

            migrationBuilder.CreateTable(
                name: "answer",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    call_key = table.Column<string>(type: "TEXT", maxLength: 200, nullable: false),
                    batch_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    engine = table.Column<string>(type: "TEXT", maxLength: 200, nullable: false),
                    engine_kind = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    simulated = table.Column<bool>(type: "INTEGER", nullable: false),
                    query_id = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    query = table.Column<string>(type: "TEXT", nullable: false),
                    category = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    branded = table.Column<bool>(type: "INTEGER", nullable: false),
                    control = table.Column<bool>(type: "INTEGER", nullable: false),
                    run = table.Column<int>(type: "INTEGER", nullable: false),
                    outcome = table.Column<string>(type: "TEXT", maxLength: 20, nullable: false),
                    reason = table.Column<string>(type: "TEXT", nullable: true),
                    requested_model = table.Column<string>(type: "TEXT", nullable: false),
                    served_model = table.Column<string>(type: "TEXT", nullable: true),
                    surface = table.Column<string>(type: "TEXT", nullable: false),
                    text = table.Column<string>(type: "TEXT", nullable: true),
                    text_hash = table.Column<string>(type: "TEXT", nullable: true),
                    sources = table.Column<string>(type: "TEXT", nullable: false),
                    search_used = table.Column<bool>(type: "INTEGER", nullable: true),
                    response_time_ms = table.Column<int>(type: "INTEGER", nullable: true),
                    input_tokens = table.Column<int>(type: "INTEGER", nullable: true),
                    output_tokens = table.Column<int>(type: "INTEGER", nullable: true),
                    cost_micro_usd = table.Column<long>(type: "INTEGER", nullable: false),
                    cache_hit = table.Column<bool>(type: "INTEGER", nullable: false),
                    reused = table.Column<bool>(type: "INTEGER", nullable: false),
                    paid_tries = table.Column<int>(type: "INTEGER", nullable: false),
                    answered_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    matcher_version = table.Column<string>(type: "TEXT", maxLength: 40, nullable: true),
                    reading = table.Column<string>(type: "TEXT", nullable: true),
                    fictitious_mentioned = table.Column<bool>(type: "INTEGER", nullable: false),
                    stored_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    version = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_answer", x => new { x.audit_id, x.call_key });
                    table.CheckConstraint("ck_answer_outcome", "outcome IN ('valid', 'declined', 'refused', 'empty', 'inDoubt')");
                    table.CheckConstraint("ck_answer_reason", "outcome = 'valid' OR reason IS NOT NULL");
                    table.CheckConstraint("ck_answer_valid", "outcome <> 'valid' OR (text IS NOT NULL AND text_hash IS NOT NULL AND reading IS NOT NULL AND matcher_version IS NOT NULL)");
                });

            migrationBuilder.CreateTable(
                name: "draft",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    layer = table.Column<int>(type: "INTEGER", nullable: false),
                    score_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    deadline_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    ask_in_doubt_again = table.Column<bool>(type: "INTEGER", nullable: false),
                    open_batch_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    round = table.Column<int>(type: "INTEGER", nullable: false),
                    questions = table.Column<string>(type: "TEXT", nullable: true),
                    simulated = table.Column<bool>(type: "INTEGER", nullable: false),
                    spent_micro_usd = table.Column<long>(type: "INTEGER", nullable: false),
                    recommendations = table.Column<string>(type: "TEXT", nullable: true),
                    created_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    drafted_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    version = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_draft", x => new { x.audit_id, x.attempt, x.layer });
                    table.CheckConstraint("ck_draft_layer", "layer BETWEEN 1 AND 3");
                    table.CheckConstraint("ck_draft_open", "(open_batch_id IS NULL) = (drafted_at IS NOT NULL) AND (open_batch_id IS NULL) = (questions IS NULL)");
                    table.CheckConstraint("ck_draft_round", "round IN (1, 2)");
                });

            migrationBuilder.CreateTable(
                name: "InboxState",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    MessageId = table.Column<Guid>(type: "TEXT", nullable: false),
                    ConsumerId = table.Column<Guid>(type: "TEXT", nullable: false),
                    LockId = table.Column<Guid>(type: "TEXT", nullable: false),
                    RowVersion = table.Column<byte[]>(type: "BLOB", nullable: true),
                    Received = table.Column<DateTime>(type: "TEXT", nullable: false),
                    ReceiveCount = table.Column<int>(type: "INTEGER", nullable: false),
                    ExpirationTime = table.Column<DateTime>(type: "TEXT", nullable: true),
                    Consumed = table.Column<DateTime>(type: "TEXT", nullable: true),
                    Delivered = table.Column<DateTime>(type: "TEXT", nullable: true),
                    LastSequenceNumber = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_InboxState", x => x.Id);
                    table.UniqueConstraint("AK_InboxState_MessageId_ConsumerId", x => new { x.MessageId, x.ConsumerId });
                });

            migrationBuilder.CreateTable(
                name: "insight",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    insight_id = table.Column<string>(type: "TEXT", maxLength: 20, nullable: false),
                    layer = table.Column<int>(type: "INTEGER", nullable: false),
                    theme = table.Column<string>(type: "TEXT", maxLength: 60, nullable: false),
                    available = table.Column<bool>(type: "INTEGER", nullable: false),
                    content = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_insight", x => new { x.audit_id, x.attempt, x.insight_id });
                });

            migrationBuilder.CreateTable(
                name: "OutboxMessage",
                columns: table => new
                {
                    SequenceNumber = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    EnqueueTime = table.Column<DateTime>(type: "TEXT", nullable: true),
                    SentTime = table.Column<DateTime>(type: "TEXT", nullable: false),
                    Headers = table.Column<string>(type: "TEXT", nullable: true),
                    Properties = table.Column<string>(type: "TEXT", nullable: true),
                    InboxMessageId = table.Column<Guid>(type: "TEXT", nullable: true),
                    InboxConsumerId = table.Column<Guid>(type: "TEXT", nullable: true),
                    OutboxId = table.Column<Guid>(type: "TEXT", nullable: true),
                    MessageId = table.Column<Guid>(type: "TEXT", nullable: false),
                    ContentType = table.Column<string>(type: "TEXT", maxLength: 256, nullable: false),
                    MessageType = table.Column<string>(type: "TEXT", nullable: false),
                    Body = table.Column<string>(type: "TEXT", nullable: false),
                    ConversationId = table.Column<Guid>(type: "TEXT", nullable: true),
                    CorrelationId = table.Column<Guid>(type: "TEXT", nullable: true),
                    InitiatorId = table.Column<Guid>(type: "TEXT", nullable: true),
                    RequestId = table.Column<Guid>(type: "TEXT", nullable: true),
                    SourceAddress = table.Column<string>(type: "TEXT", maxLength: 256, nullable: true),
                    DestinationAddress = table.Column<string>(type: "TEXT", maxLength: 256, nullable: true),
                    ResponseAddress = table.Column<string>(type: "TEXT", maxLength: 256, nullable: true),
                    FaultAddress = table.Column<string>(type: "TEXT", maxLength: 256, nullable: true),
                    ExpirationTime = table.Column<DateTime>(type: "TEXT", nullable: true),
                    NextTryAt = table.Column<DateTime>(type: "TEXT", nullable: false),
                    Tries = table.Column<int>(type: "INTEGER", nullable: false),
                    LastError = table.Column<string>(type: "TEXT", nullable: true),
                    ParkedAt = table.Column<DateTime>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_OutboxMessage", x => x.SequenceNumber);
                });

            migrationBuilder.CreateTable(
                name: "OutboxState",
                columns: table => new
                {
                    OutboxId = table.Column<Guid>(type: "TEXT", nullable: false),
                    LockId = table.Column<Guid>(type: "TEXT", nullable: false),
                    RowVersion = table.Column<byte[]>(type: "BLOB", nullable: true),
                    Created = table.Column<DateTime>(type: "TEXT", nullable: false),
                    Delivered = table.Column<DateTime>(type: "TEXT", nullable: true),
                    LastSequenceNumber = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_OutboxState", x => x.OutboxId);
                });

            migrationBuilder.CreateTable(
                name: "plan",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    plan_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    planner_version = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    source = table.Column<string>(type: "TEXT", maxLength: 20, nullable: true),
                    queries = table.Column<string>(type: "TEXT", nullable: true),
                    open_batch_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    spent_micro_usd = table.Column<long>(type: "INTEGER", nullable: false),
                    created_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    planned_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    version = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_plan", x => x.audit_id);
                    table.CheckConstraint("ck_plan_open", "(queries IS NULL) = (open_batch_id IS NOT NULL)");
                    table.CheckConstraint("ck_plan_settled", "(queries IS NULL) = (planned_at IS NULL) AND (queries IS NULL) = (source IS NULL)");
                    table.CheckConstraint("ck_plan_spent", "spent_micro_usd >= 0");
                });

            migrationBuilder.CreateTable(
                name: "scheduled_message",
                columns: table => new
                {
                    token_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    due_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    destination = table.Column<string>(type: "TEXT", nullable: false),
                    message_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    message = table.Column<string>(type: "TEXT", nullable: false),
                    tries = table.Column<int>(type: "INTEGER", nullable: false),
                    last_error = table.Column<string>(type: "TEXT", nullable: true),
                    parked_at = table.Column<DateTime>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_scheduled_message", x => x.token_id);
                });

            migrationBuilder.CreateTable(
                name: "score",
                columns: table => new
                {
                    score_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    audit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    metrics_version = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    batch_ids = table.Column<string>(type: "TEXT", nullable: false),
                    scores = table.Column<string>(type: "TEXT", nullable: false),
                    scored_at = table.Column<DateTime>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_score", x => x.score_id);
                });

            migrationBuilder.CreateTable(
                name: "subject",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    brand = table.Column<string>(type: "TEXT", maxLength: 400, nullable: false),
                    locale = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    request = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<DateTime>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_subject", x => x.audit_id);
                });

            migrationBuilder.CreateIndex(
                name: "ix_analyzed_batch_audit_id",
                table: "analyzed_batch",
                column: "audit_id");

            migrationBuilder.CreateIndex(
                name: "ix_answer_batch_id",
                table: "answer",
                column: "batch_id");

            migrationBuilder.CreateIndex(
                name: "ix_draft_open_batch_id",
                table: "draft",
                column: "open_batch_id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_InboxState_Delivered",
                table: "InboxState",
                column: "Delivered");

            migrationBuilder.CreateIndex(
                name: "IX_OutboxMessage_MessageId",
                table: "OutboxMessage",
                column: "MessageId");

            migrationBuilder.CreateIndex(
                name: "IX_OutboxMessage_NextTryAt",
                table: "OutboxMessage",
                column: "NextTryAt",
                filter: "\"ParkedAt\" IS NULL");

            migrationBuilder.CreateIndex(
                name: "IX_OutboxMessage_ParkedAt",
                table: "OutboxMessage",
                column: "ParkedAt",
                filter: "\"ParkedAt\" IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_OutboxState_Created",
                table: "OutboxState",
                column: "Created");

            migrationBuilder.CreateIndex(
                name: "ix_plan_open_batch_id",
                table: "plan",
                column: "open_batch_id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_scheduled_message_due_at",
                table: "scheduled_message",
                column: "due_at",
                filter: "parked_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_scheduled_message_parked_at",
                table: "scheduled_message",
                column: "parked_at",
                filter: "parked_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_score_audit_id_attempt_metrics_version",
                table: "score",
                columns: new[] { "audit_id", "attempt", "metrics_version" },
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "analyzed_batch");

            migrationBuilder.DropTable(
                name: "answer");

            migrationBuilder.DropTable(
                name: "draft");

            migrationBuilder.DropTable(
                name: "InboxState");

            migrationBuilder.DropTable(
                name: "insight");

            migrationBuilder.DropTable(
                name: "OutboxMessage");

            migrationBuilder.DropTable(
                name: "OutboxState");

            migrationBuilder.DropTable(
                name: "plan");

            migrationBuilder.DropTable(
                name: "scheduled_message");

            migrationBuilder.DropTable(
                name: "score");

            migrationBuilder.DropTable(
                name: "subject");
        }
    }
}
