using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.Dashboard.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "access_key",
                columns: table => new
                {
                    key_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    role = table.Column<string>(type: "TEXT", nullable: false),
                    secret_hash = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    revoked_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    revoked_by = table.Column<string>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_access_key", x => x.key_id);
                    table.CheckConstraint("ck_access_key_role", "role IN ('viewer', 'producer', 'operator')");
                });

            migrationBuilder.CreateTable(
                name: "answer",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    call_key = table.Column<string>(type: "TEXT", nullable: false),
                    batch_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    engine = table.Column<string>(type: "TEXT", nullable: false),
                    engine_kind = table.Column<string>(type: "TEXT", nullable: false),
                    simulated = table.Column<bool>(type: "INTEGER", nullable: false),
                    query_id = table.Column<string>(type: "TEXT", nullable: false),
                    run = table.Column<int>(type: "INTEGER", nullable: false),
                    outcome = table.Column<string>(type: "TEXT", nullable: false),
                    brands = table.Column<string>(type: "TEXT", nullable: false),
                    json = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_answer", x => new { x.audit_id, x.call_key });
                    table.CheckConstraint("ck_answer_outcome", "outcome IN ('valid', 'declined', 'refused', 'empty', 'inDoubt')");
                });

            migrationBuilder.CreateTable(
                name: "audit",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    status = table.Column<string>(type: "TEXT", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    created_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    request_attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    request_json = table.Column<string>(type: "TEXT", nullable: true),
                    brand = table.Column<string>(type: "TEXT", nullable: true),
                    kind = table.Column<string>(type: "TEXT", nullable: true),
                    search_text = table.Column<string>(type: "TEXT", nullable: false),
                    tracking_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    parent_audit_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    ancestry_json = table.Column<string>(type: "TEXT", nullable: true),
                    depth = table.Column<int>(type: "INTEGER", nullable: false),
                    ceiling_micro_usd = table.Column<long>(type: "INTEGER", nullable: false),
                    registered_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    deadline_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    requested_by = table.Column<string>(type: "TEXT", nullable: true),
                    accepted_attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    planned_calls = table.Column<int>(type: "INTEGER", nullable: false),
                    worst_case_micro_usd = table.Column<long>(type: "INTEGER", nullable: false),
                    accepted_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    rejection_reason = table.Column<string>(type: "TEXT", nullable: true),
                    rejection_detail = table.Column<string>(type: "TEXT", nullable: true),
                    rejection_existing_audit_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    rejected_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    decisions = table.Column<int>(type: "INTEGER", nullable: false),
                    state_sequence = table.Column<int>(type: "INTEGER", nullable: false),
                    ended_attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    ended_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    failure_reason = table.Column<string>(type: "TEXT", nullable: true),
                    failure_detail = table.Column<string>(type: "TEXT", nullable: true),
                    ended_phase = table.Column<string>(type: "TEXT", nullable: true),
                    progress_attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    progress_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    phase = table.Column<string>(type: "TEXT", nullable: true),
                    completed_calls = table.Column<int>(type: "INTEGER", nullable: false),
                    fraction = table.Column<double>(type: "REAL", nullable: false),
                    last_progress_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    last_heartbeat_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    waiting_for = table.Column<string>(type: "TEXT", nullable: true),
                    waiting_until = table.Column<DateTime>(type: "TEXT", nullable: true),
                    worker = table.Column<string>(type: "TEXT", nullable: true),
                    budget_version = table.Column<long>(type: "INTEGER", nullable: false),
                    reserved_micro_usd = table.Column<long>(type: "INTEGER", nullable: false),
                    spent_micro_usd = table.Column<long>(type: "INTEGER", nullable: false),
                    in_doubt_micro_usd = table.Column<long>(type: "INTEGER", nullable: false),
                    overrun_micro_usd = table.Column<long>(type: "INTEGER", nullable: false),
                    calls = table.Column<int>(type: "INTEGER", nullable: false),
                    paid_tries = table.Column<int>(type: "INTEGER", nullable: false),
                    in_doubt = table.Column<int>(type: "INTEGER", nullable: false),
                    reused = table.Column<int>(type: "INTEGER", nullable: false),
                    budget_final = table.Column<bool>(type: "INTEGER", nullable: false),
                    score_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    score_attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    metrics_version = table.Column<string>(type: "TEXT", nullable: true),
                    scores_json = table.Column<string>(type: "TEXT", nullable: true),
                    coverage_json = table.Column<string>(type: "TEXT", nullable: true),
                    visibility = table.Column<double>(type: "REAL", nullable: true),
                    visibility_low = table.Column<double>(type: "REAL", nullable: true),
                    visibility_high = table.Column<double>(type: "REAL", nullable: true),
                    overall = table.Column<double>(type: "REAL", nullable: true),
                    simulated = table.Column<bool>(type: "INTEGER", nullable: false),
                    report_attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    version = table.Column<int>(type: "INTEGER", nullable: false),
                    updated_at = table.Column<DateTime>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_audit", x => x.audit_id);
                    table.CheckConstraint("ck_audit_ended_has_time", "status NOT IN ('Completed', 'Failed', 'Cancelled') OR ended_at IS NOT NULL");
                    table.CheckConstraint("ck_audit_failed_has_reason", "status <> 'Failed' OR failure_reason IS NOT NULL");
                });

            migrationBuilder.CreateTable(
                name: "batch",
                columns: table => new
                {
                    batch_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    audit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    engine = table.Column<string>(type: "TEXT", nullable: false),
                    answer_count = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_batch", x => x.batch_id);
                });

            migrationBuilder.CreateTable(
                name: "batch_progress",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    batch_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    engine = table.Column<string>(type: "TEXT", nullable: false),
                    decided_calls = table.Column<int>(type: "INTEGER", nullable: false),
                    total_calls = table.Column<int>(type: "INTEGER", nullable: false),
                    waiting_for = table.Column<string>(type: "TEXT", nullable: true),
                    waiting_until = table.Column<DateTime>(type: "TEXT", nullable: true),
                    worker = table.Column<string>(type: "TEXT", nullable: true),
                    at = table.Column<DateTime>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_batch_progress", x => new { x.audit_id, x.batch_id });
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
                name: "insight_layer",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    layer = table.Column<int>(type: "INTEGER", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    json = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_insight_layer", x => new { x.audit_id, x.layer });
                });

            migrationBuilder.CreateTable(
                name: "login_link",
                columns: table => new
                {
                    token_hash = table.Column<string>(type: "TEXT", nullable: false),
                    role = table.Column<string>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    expires_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    used_at = table.Column<DateTime>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_login_link", x => x.token_hash);
                });

            migrationBuilder.CreateTable(
                name: "manifest",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    json = table.Column<string>(type: "TEXT", nullable: false),
                    published_at = table.Column<DateTime>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_manifest", x => new { x.audit_id, x.attempt });
                });

            migrationBuilder.CreateTable(
                name: "operator_action",
                columns: table => new
                {
                    action_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    who = table.Column<string>(type: "TEXT", nullable: false),
                    action = table.Column<string>(type: "TEXT", nullable: false),
                    audit_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    reason = table.Column<string>(type: "TEXT", nullable: false),
                    detail = table.Column<string>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_operator_action", x => x.action_id);
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
                name: "panel",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    json = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_panel", x => x.audit_id);
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
                    scored_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    json = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_score", x => x.score_id);
                });

            migrationBuilder.CreateTable(
                name: "session",
                columns: table => new
                {
                    token_hash = table.Column<string>(type: "TEXT", nullable: false),
                    role = table.Column<string>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    key_id = table.Column<Guid>(type: "TEXT", nullable: true),
                    expires_at = table.Column<DateTime>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_session", x => x.token_hash);
                });

            migrationBuilder.CreateTable(
                name: "share_link",
                columns: table => new
                {
                    link_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    token_hash = table.Column<string>(type: "TEXT", nullable: false),
                    audit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    created_by = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    revoked_at = table.Column<DateTime>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_share_link", x => x.link_id);
                });

            migrationBuilder.CreateTable(
                name: "transition",
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
                    table.PrimaryKey("pk_transition", x => new { x.audit_id, x.sequence });
                });

            migrationBuilder.CreateTable(
                name: "webhook",
                columns: table => new
                {
                    webhook_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    url = table.Column<string>(type: "TEXT", nullable: false),
                    secret = table.Column<string>(type: "TEXT", nullable: false),
                    created_by = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    removed_at = table.Column<DateTime>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_webhook", x => x.webhook_id);
                });

            migrationBuilder.CreateTable(
                name: "webhook_delivery",
                columns: table => new
                {
                    webhook_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    audit_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    @event = table.Column<string>(name: "event", type: "TEXT", nullable: false),
                    body = table.Column<string>(type: "TEXT", nullable: false),
                    tries = table.Column<int>(type: "INTEGER", nullable: false),
                    next_try_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    delivered_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    last_error = table.Column<string>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_webhook_delivery", x => new { x.webhook_id, x.audit_id, x.attempt });
                });

            migrationBuilder.CreateIndex(
                name: "ix_access_key_secret_hash",
                table: "access_key",
                column: "secret_hash",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_answer_audit_id_query_id_engine_run",
                table: "answer",
                columns: new[] { "audit_id", "query_id", "engine", "run" });

            migrationBuilder.CreateIndex(
                name: "ix_audit_brand_created_at",
                table: "audit",
                columns: new[] { "brand", "created_at" });

            migrationBuilder.CreateIndex(
                name: "ix_audit_created_at_audit_id",
                table: "audit",
                columns: new[] { "created_at", "audit_id" });

            migrationBuilder.CreateIndex(
                name: "ix_audit_status_created_at",
                table: "audit",
                columns: new[] { "status", "created_at" });

            migrationBuilder.CreateIndex(
                name: "ix_audit_tracking_id",
                table: "audit",
                column: "tracking_id");

            migrationBuilder.CreateIndex(
                name: "ix_audit_updated_at",
                table: "audit",
                column: "updated_at");

            migrationBuilder.CreateIndex(
                name: "ix_batch_audit_id",
                table: "batch",
                column: "audit_id");

            migrationBuilder.CreateIndex(
                name: "IX_InboxState_Delivered",
                table: "InboxState",
                column: "Delivered");

            migrationBuilder.CreateIndex(
                name: "ix_operator_action_at",
                table: "operator_action",
                column: "at");

            migrationBuilder.CreateIndex(
                name: "ix_operator_action_audit_id",
                table: "operator_action",
                column: "audit_id");

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

            migrationBuilder.CreateIndex(
                name: "ix_score_audit_id",
                table: "score",
                column: "audit_id");

            migrationBuilder.CreateIndex(
                name: "ix_share_link_audit_id",
                table: "share_link",
                column: "audit_id");

            migrationBuilder.CreateIndex(
                name: "ix_share_link_token_hash",
                table: "share_link",
                column: "token_hash",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_webhook_delivery_next_try_at",
                table: "webhook_delivery",
                column: "next_try_at");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "access_key");

            migrationBuilder.DropTable(
                name: "answer");

            migrationBuilder.DropTable(
                name: "audit");

            migrationBuilder.DropTable(
                name: "batch");

            migrationBuilder.DropTable(
                name: "batch_progress");

            migrationBuilder.DropTable(
                name: "InboxState");

            migrationBuilder.DropTable(
                name: "insight_layer");

            migrationBuilder.DropTable(
                name: "login_link");

            migrationBuilder.DropTable(
                name: "manifest");

            migrationBuilder.DropTable(
                name: "operator_action");

            migrationBuilder.DropTable(
                name: "OutboxMessage");

            migrationBuilder.DropTable(
                name: "OutboxState");

            migrationBuilder.DropTable(
                name: "panel");

            migrationBuilder.DropTable(
                name: "scheduled_message");

            migrationBuilder.DropTable(
                name: "score");

            migrationBuilder.DropTable(
                name: "session");

            migrationBuilder.DropTable(
                name: "share_link");

            migrationBuilder.DropTable(
                name: "transition");

            migrationBuilder.DropTable(
                name: "webhook");

            migrationBuilder.DropTable(
                name: "webhook_delivery");
        }
    }
}
