using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.AuditSaga.Migrations.Sqlite
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
                    audit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    version = table.Column<int>(type: "INTEGER", nullable: false),
                    current_state = table.Column<string>(type: "TEXT", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    uncounted_attempts = table.Column<int>(type: "INTEGER", nullable: false),
                    kind = table.Column<string>(type: "TEXT", nullable: false),
                    brand_key = table.Column<string>(type: "TEXT", nullable: false),
                    brand_name = table.Column<string>(type: "TEXT", nullable: false),
                    request_hash = table.Column<string>(type: "TEXT", nullable: false),
                    panel_hash = table.Column<string>(type: "TEXT", nullable: false),
                    content_hash = table.Column<string>(type: "TEXT", nullable: true),
                    tracking_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    parent_audit_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    depth = table.Column<int>(type: "INTEGER", nullable: false),
                    ancestry = table.Column<string>(type: "TEXT", nullable: false),
                    counted_in_tree = table.Column<bool>(type: "INTEGER", nullable: false),
                    ceiling_micro_usd = table.Column<long>(type: "INTEGER", nullable: false),
                    deadline_minutes = table.Column<double>(type: "REAL", nullable: false),
                    min_coverage = table.Column<double>(type: "REAL", nullable: false),
                    force = table.Column<bool>(type: "INTEGER", nullable: false),
                    audit_competitors = table.Column<bool>(type: "INTEGER", nullable: false),
                    in_doubt_policy_asks_again = table.Column<bool>(type: "INTEGER", nullable: false),
                    ask_in_doubt_again = table.Column<bool>(type: "INTEGER", nullable: false),
                    registered_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    started_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    accepted_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    deadline_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    phase_started_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    last_progress_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    last_heartbeat_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    progress_published_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    waiting_for = table.Column<string>(type: "TEXT", nullable: true),
                    worker = table.Column<string>(type: "TEXT", nullable: false),
                    transition_sequence = table.Column<int>(type: "INTEGER", nullable: false),
                    budget_asked = table.Column<bool>(type: "INTEGER", nullable: false),
                    planned_calls = table.Column<int>(type: "INTEGER", nullable: false),
                    worst_case_micro_usd = table.Column<long>(type: "INTEGER", nullable: false),
                    advisor_available = table.Column<bool>(type: "INTEGER", nullable: false),
                    simulated = table.Column<bool>(type: "INTEGER", nullable: false),
                    ledger_sequence = table.Column<long>(type: "INTEGER", nullable: false),
                    plan_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    panel_calls = table.Column<int>(type: "INTEGER", nullable: false),
                    batch_ids = table.Column<string>(type: "TEXT", nullable: false),
                    open_batches = table.Column<string>(type: "TEXT", nullable: false),
                    coverage = table.Column<string>(type: "TEXT", nullable: true),
                    answers_complete = table.Column<bool>(type: "INTEGER", nullable: false),
                    advisor_decided = table.Column<int>(type: "INTEGER", nullable: false),
                    score_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    metrics_version = table.Column<string>(type: "TEXT", nullable: true),
                    scores = table.Column<string>(type: "TEXT", nullable: true),
                    drafted_layers = table.Column<int>(type: "INTEGER", nullable: false),
                    settled_micro_usd = table.Column<long>(type: "INTEGER", nullable: false),
                    reported_micro_usd = table.Column<long>(type: "INTEGER", nullable: false),
                    report_version = table.Column<long>(type: "INTEGER", nullable: false),
                    completed_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    ended_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    failure_reason = table.Column<string>(type: "TEXT", nullable: true),
                    failure_detail = table.Column<string>(type: "TEXT", nullable: true),
                    existing_audit_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    ended_phase = table.Column<string>(type: "TEXT", nullable: true),
                    ended_by = table.Column<string>(type: "TEXT", nullable: true),
                    stall_token_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    deadline_token_id = table.Column<Guid>(type: "TEXT", nullable: true)
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
                    audit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    plan_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    source = table.Column<string>(type: "TEXT", nullable: false),
                    queries = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_audit_plan", x => x.audit_id);
                });

            migrationBuilder.CreateTable(
                name: "audit_request",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    request = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_audit_request", x => x.audit_id);
                });

            migrationBuilder.CreateTable(
                name: "audit_transition",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    sequence = table.Column<int>(type: "INTEGER", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    from_state = table.Column<string>(type: "TEXT", nullable: false),
                    to_state = table.Column<string>(type: "TEXT", nullable: false),
                    trigger = table.Column<string>(type: "TEXT", nullable: false),
                    worker = table.Column<string>(type: "TEXT", nullable: false),
                    at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    elapsed_ms = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_audit_transition", x => new { x.audit_id, x.sequence });
                });

            migrationBuilder.CreateTable(
                name: "forced_audits",
                columns: table => new
                {
                    brand_key = table.Column<string>(type: "TEXT", nullable: false),
                    kind = table.Column<string>(type: "TEXT", nullable: false),
                    day = table.Column<DateOnly>(type: "TEXT", nullable: false),
                    used = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_forced_audits", x => new { x.brand_key, x.kind, x.day });
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
                name: "lineage_tree",
                columns: table => new
                {
                    tracking_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    size = table.Column<int>(type: "INTEGER", nullable: false),
                    ceiling_micro_usd = table.Column<long>(type: "INTEGER", nullable: false),
                    ceiling_defaulted = table.Column<bool>(type: "INTEGER", nullable: false)
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
                    audit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    brand_key = table.Column<string>(type: "TEXT", nullable: false),
                    kind = table.Column<string>(type: "TEXT", nullable: false),
                    panel_hash = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_live_audit", x => x.audit_id);
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
