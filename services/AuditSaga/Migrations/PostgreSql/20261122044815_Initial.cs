using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Assay.AuditSaga.Migrations.PostgreSql
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "audit",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    current_state = table.Column<string>(type: "text", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    uncounted_attempts = table.Column<int>(type: "integer", nullable: false),
                    kind = table.Column<string>(type: "text", nullable: false),
                    brand_key = table.Column<string>(type: "text", nullable: false),
                    brand_name = table.Column<string>(type: "text", nullable: false),
                    request_hash = table.Column<string>(type: "text", nullable: false),
                    panel_hash = table.Column<string>(type: "text", nullable: false),
                    content_hash = table.Column<string>(type: "text", nullable: true),
                    tracking_id = table.Column<Guid>(type: "uuid", nullable: false),
                    parent_audit_id = table.Column<Guid>(type: "uuid", nullable: true),
                    depth = table.Column<int>(type: "integer", nullable: false),
                    ancestry = table.Column<string>(type: "text", nullable: false),
                    counted_in_tree = table.Column<bool>(type: "boolean", nullable: false),
                    ceiling_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    deadline_minutes = table.Column<double>(type: "double precision", nullable: false),
                    min_coverage = table.Column<double>(type: "double precision", nullable: false),
                    force = table.Column<bool>(type: "boolean", nullable: false),
                    audit_competitors = table.Column<bool>(type: "boolean", nullable: false),
                    in_doubt_policy_asks_again = table.Column<bool>(type: "boolean", nullable: false),
                    ask_in_doubt_again = table.Column<bool>(type: "boolean", nullable: false),
                    registered_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    started_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    accepted_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    deadline_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    phase_started_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    last_progress_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    last_heartbeat_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    progress_published_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    waiting_for = table.Column<string>(type: "text", nullable: true),
                    worker = table.Column<string>(type: "text", nullable: false),
                    transition_sequence = table.Column<int>(type: "integer", nullable: false),
                    budget_asked = table.Column<bool>(type: "boolean", nullable: false),
                    planned_calls = table.Column<int>(type: "integer", nullable: false),
                    worst_case_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    advisor_available = table.Column<bool>(type: "boolean", nullable: false),
                    simulated = table.Column<bool>(type: "boolean", nullable: false),
                    ledger_sequence = table.Column<long>(type: "bigint", nullable: false),
                    plan_id = table.Column<Guid>(type: "uuid", nullable: true),
                    panel_calls = table.Column<int>(type: "integer", nullable: false),
                    batch_ids = table.Column<string>(type: "text", nullable: false),
                    open_batches = table.Column<string>(type: "text", nullable: false),
                    coverage = table.Column<string>(type: "text", nullable: true),
                    answers_complete = table.Column<bool>(type: "boolean", nullable: false),
                    advisor_decided = table.Column<int>(type: "integer", nullable: false),
                    score_id = table.Column<Guid>(type: "uuid", nullable: true),
                    metrics_version = table.Column<string>(type: "text", nullable: true),
                    scores = table.Column<string>(type: "text", nullable: true),
                    drafted_layers = table.Column<int>(type: "integer", nullable: false),
                    settled_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    reported_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    report_version = table.Column<long>(type: "bigint", nullable: false),
                    completed_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    ended_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    failure_reason = table.Column<string>(type: "text", nullable: true),
                    failure_detail = table.Column<string>(type: "text", nullable: true),
                    existing_audit_id = table.Column<Guid>(type: "uuid", nullable: true),
                    ended_phase = table.Column<string>(type: "text", nullable: true),
                    ended_by = table.Column<string>(type: "text", nullable: true),
                    stall_token_id = table.Column<Guid>(type: "uuid", nullable: true),
                    deadline_token_id = table.Column<Guid>(type: "uuid", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_audit", x => x.audit_id);
                    table.CheckConstraint("ck_audit_advanced_has_output", "(current_state NOT IN ('Asking', 'Scoring', 'Advising', 'Publishing') OR plan_id IS NOT NULL) AND (current_state NOT IN ('Scoring', 'Advising', 'Publishing') OR answers_complete) AND (current_state NOT IN ('Advising', 'Publishing') OR score_id IS NOT NULL)");
                    table.CheckConstraint("ck_audit_completed_has_scores", "current_state <> 'Completed' OR (scores IS NOT NULL AND scores NOT IN ('', 'null', '{}') AND score_id IS NOT NULL AND metrics_version IS NOT NULL AND coverage IS NOT NULL AND answers_complete AND drafted_layers = 3 AND open_batches = '{}')");
                    table.CheckConstraint("ck_audit_completed_has_time", "(current_state = 'Completed') = (completed_at IS NOT NULL)");
                    table.CheckConstraint("ck_audit_ended_has_ender", "(current_state IN ('Completed', 'Failed', 'Cancelled', 'Rejected')) = (ended_by IS NOT NULL)");
                    table.CheckConstraint("ck_audit_ended_has_time", "(current_state IN ('Completed', 'Failed', 'Cancelled', 'Rejected')) = (ended_at IS NOT NULL)");
                    table.CheckConstraint("ck_audit_failed_has_reason", "(current_state IN ('Failed', 'Rejected')) = (failure_reason IS NOT NULL) AND (failure_reason IS NULL OR failure_reason <> '')");
                    table.CheckConstraint("ck_audit_lineage", "(depth = 0) = (parent_audit_id IS NULL) OR current_state = 'Rejected'");
                    table.CheckConstraint("ck_audit_numbers", "attempt >= 1 AND uncounted_attempts >= 0 AND uncounted_attempts < attempt AND depth >= 0 AND ceiling_micro_usd >= 0 AND settled_micro_usd >= 0 AND reported_micro_usd >= 0 AND panel_calls >= 0");
                    table.CheckConstraint("ck_audit_state", "current_state IN ('Admitting', 'Planning', 'Asking', 'Scoring', 'Advising', 'Publishing', 'Completed', 'Failed', 'Cancelled', 'Rejected')");
                });

            migrationBuilder.CreateTable(
                name: "audit_plan",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    plan_id = table.Column<Guid>(type: "uuid", nullable: false),
                    source = table.Column<string>(type: "text", nullable: false),
                    queries = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_audit_plan", x => x.audit_id);
                });

            migrationBuilder.CreateTable(
                name: "audit_request",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    request = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_audit_request", x => x.audit_id);
                });

            migrationBuilder.CreateTable(
                name: "audit_transition",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    sequence = table.Column<int>(type: "integer", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    from_state = table.Column<string>(type: "text", nullable: false),
                    to_state = table.Column<string>(type: "text", nullable: false),
                    trigger = table.Column<string>(type: "text", nullable: false),
                    worker = table.Column<string>(type: "text", nullable: false),
                    at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    elapsed_ms = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_audit_transition", x => new { x.audit_id, x.sequence });
                });

            migrationBuilder.CreateTable(
                name: "forced_audits",
                columns: table => new
                {
                    brand_key = table.Column<string>(type: "text", nullable: false),
                    kind = table.Column<string>(type: "text", nullable: false),
                    day = table.Column<DateOnly>(type: "date", nullable: false),
                    used = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_forced_audits", x => new { x.brand_key, x.kind, x.day });
                });

            migrationBuilder.CreateTable(
                name: "InboxState",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    MessageId = table.Column<Guid>(type: "uuid", nullable: false),
                    ConsumerId = table.Column<Guid>(type: "uuid", nullable: false),
                    LockId = table.Column<Guid>(type: "uuid", nullable: false),
                    RowVersion = table.Column<byte[]>(type: "bytea", nullable: true),
                    Received = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    ReceiveCount = table.Column<int>(type: "integer", nullable: false),
                    ExpirationTime = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    Consumed = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    Delivered = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    LastSequenceNumber = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_InboxState", x => x.Id);
                    table.UniqueConstraint("AK_InboxState_MessageId_ConsumerId", x => new { x.MessageId, x.ConsumerId });
                });

            migrationBuilder.CreateTable(
                name: "lineage_tree",
                columns: table => new
                {
                    tracking_id = table.Column<Guid>(type: "uuid", nullable: false),
                    size = table.Column<int>(type: "integer", nullable: false),
                    ceiling_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    ceiling_defaulted = table.Column<bool>(type: "boolean", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_lineage_tree", x => x.tracking_id);
                    table.CheckConstraint("ck_lineage_tree_size", "size >= 0");
                });

            migrationBuilder.CreateTable(
                name: "live_audit",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    brand_key = table.Column<string>(type: "text", nullable: false),
                    kind = table.Column<string>(type: "text", nullable: false),
                    panel_hash = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_live_audit", x => x.audit_id);
                });

            migrationBuilder.CreateTable(
                name: "OutboxMessage",
                columns: table => new
                {
                    SequenceNumber = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    EnqueueTime = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    SentTime = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    Headers = table.Column<string>(type: "text", nullable: true),
                    Properties = table.Column<string>(type: "text", nullable: true),
                    InboxMessageId = table.Column<Guid>(type: "uuid", nullable: true),
                    InboxConsumerId = table.Column<Guid>(type: "uuid", nullable: true),
                    OutboxId = table.Column<Guid>(type: "uuid", nullable: true),
                    MessageId = table.Column<Guid>(type: "uuid", nullable: false),
                    ContentType = table.Column<string>(type: "character varying(256)", maxLength: 256, nullable: false),
                    MessageType = table.Column<string>(type: "text", nullable: false),
                    Body = table.Column<string>(type: "text", nullable: false),
                    ConversationId = table.Column<Guid>(type: "uuid", nullable: true),
                    CorrelationId = table.Column<Guid>(type: "uuid", nullable: true),
                    InitiatorId = table.Column<Guid>(type: "uuid", nullable: true),
                    RequestId = table.Column<Guid>(type: "uuid", nullable: true),
                    SourceAddress = table.Column<string>(type: "character varying(256)", maxLength: 256, nullable: true),
                    DestinationAddress = table.Column<string>(type: "character varying(256)", maxLength: 256, nullable: true),
                    ResponseAddress = table.Column<string>(type: "character varying(256)", maxLength: 256, nullable: true),
                    FaultAddress = table.Column<string>(type: "character varying(256)", maxLength: 256, nullable: true),
                    ExpirationTime = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    NextTryAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    Tries = table.Column<int>(type: "integer", nullable: false),
                    LastError = table.Column<string>(type: "text", nullable: true),
                    ParkedAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_OutboxMessage", x => x.SequenceNumber);
                });

            migrationBuilder.CreateTable(
                name: "OutboxState",
                columns: table => new
                {
                    OutboxId = table.Column<Guid>(type: "uuid", nullable: false),
                    LockId = table.Column<Guid>(type: "uuid", nullable: false),
                    RowVersion = table.Column<byte[]>(type: "bytea", nullable: true),
                    Created = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    Delivered = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    LastSequenceNumber = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_OutboxState", x => x.OutboxId);
                });

            migrationBuilder.CreateTable(
                name: "scheduled_message",
                columns: table => new
                {
                    token_id = table.Column<Guid>(type: "uuid", nullable: false),
                    due_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    destination = table.Column<string>(type: "text", nullable: false),
                    message_id = table.Column<Guid>(type: "uuid", nullable: false),
                    message = table.Column<string>(type: "text", nullable: false),
                    tries = table.Column<int>(type: "integer", nullable: false),
                    last_error = table.Column<string>(type: "text", nullable: true),
                    parked_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_scheduled_message", x => x.token_id);
                });

            migrationBuilder.CreateIndex(
                name: "ix_audit_brand_key_kind_panel_hash",
                table: "audit",
                columns: new[] { "brand_key", "kind", "panel_hash" });

            migrationBuilder.CreateIndex(
                name: "ix_audit_current_state_deadline_at",
                table: "audit",
                columns: new[] { "current_state", "deadline_at" });

            migrationBuilder.CreateIndex(
                name: "ix_audit_tracking_id",
                table: "audit",
                column: "tracking_id");

            migrationBuilder.CreateIndex(
                name: "IX_InboxState_Delivered",
                table: "InboxState",
                column: "Delivered");

            migrationBuilder.CreateIndex(
                name: "ix_live_audit_brand_key_kind_panel_hash",
                table: "live_audit",
                columns: new[] { "brand_key", "kind", "panel_hash" },
                unique: true);

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
                name: "ix_scheduled_message_due_at",
                table: "scheduled_message",
                column: "due_at",
                filter: "parked_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_scheduled_message_parked_at",
                table: "scheduled_message",
                column: "parked_at",
                filter: "parked_at IS NOT NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "audit");

            migrationBuilder.DropTable(
                name: "audit_plan");

            migrationBuilder.DropTable(
                name: "audit_request");

            migrationBuilder.DropTable(
                name: "audit_transition");

            migrationBuilder.DropTable(
                name: "forced_audits");

            migrationBuilder.DropTable(
                name: "InboxState");

            migrationBuilder.DropTable(
                name: "lineage_tree");

            migrationBuilder.DropTable(
                name: "live_audit");

            migrationBuilder.DropTable(
                name: "OutboxMessage");

            migrationBuilder.DropTable(
                name: "OutboxState");

            migrationBuilder.DropTable(
                name: "scheduled_message");
        }
    }
}
