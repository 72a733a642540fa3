using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Assay.Dashboard.Migrations.PostgreSql
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
                    key_id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    role = table.Column<string>(type: "text", nullable: false),
                    secret_hash = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    revoked_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    revoked_by = table.Column<string>(type: "text", nullable: true)
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
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    call_key = table.Column<string>(type: "text", nullable: false),
                    batch_id = table.Column<Guid>(type: "uuid", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    engine = table.Column<string>(type: "text", nullable: false),
                    engine_kind = table.Column<string>(type: "text", nullable: false),
                    simulated = table.Column<bool>(type: "boolean", nullable: false),
                    query_id = table.Column<string>(type: "text", nullable: false),
                    run = table.Column<int>(type: "integer", nullable: false),
                    outcome = table.Column<string>(type: "text", nullable: false),
                    brands = table.Column<string>(type: "text", nullable: false),
                    json = table.Column<string>(type: "text", nullable: false)
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
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    status = table.Column<string>(type: "text", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    created_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    request_attempt = table.Column<int>(type: "integer", nullable: false),
                    request_json = table.Column<string>(type: "text", nullable: true),
                    brand = table.Column<string>(type: "text", nullable: true),
                    kind = table.Column<string>(type: "text", nullable: true),
                    search_text = table.Column<string>(type: "text", nullable: false),
                    tracking_id = table.Column<Guid>(type: "uuid", nullable: true),
                    parent_audit_id = table.Column<Guid>(type: "uuid", nullable: true),
                    ancestry_json = table.Column<string>(type: "text", nullable: true),
                    depth = table.Column<int>(type: "integer", nullable: false),
                    ceiling_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    registered_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    deadline_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    requested_by = table.Column<string>(type: "text", nullable: true),
                    accepted_attempt = table.Column<int>(type: "integer", nullable: false),
                    planned_calls = table.Column<int>(type: "integer", nullable: false),
                    worst_case_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    accepted_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    rejection_reason = table.Column<string>(type: "text", nullable: true),
                    rejection_detail = table.Column<string>(type: "text", nullable: true),
                    rejection_existing_audit_id = table.Column<Guid>(type: "uuid", nullable: true),
                    rejected_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    decisions = table.Column<int>(type: "integer", nullable: false),
                    state_sequence = table.Column<int>(type: "integer", nullable: false),
                    ended_attempt = table.Column<int>(type: "integer", nullable: false),
                    ended_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    failure_reason = table.Column<string>(type: "text", nullable: true),
                    failure_detail = table.Column<string>(type: "text", nullable: true),
                    ended_phase = table.Column<string>(type: "text", nullable: true),
                    progress_attempt = table.Column<int>(type: "integer", nullable: false),
                    progress_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    phase = table.Column<string>(type: "text", nullable: true),
                    completed_calls = table.Column<int>(type: "integer", nullable: false),
                    fraction = table.Column<double>(type: "double precision", nullable: false),
                    last_progress_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    last_heartbeat_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    waiting_for = table.Column<string>(type: "text", nullable: true),
                    waiting_until = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    worker = table.Column<string>(type: "text", nullable: true),
                    budget_version = table.Column<long>(type: "bigint", nullable: false),
                    reserved_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    spent_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    in_doubt_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    overrun_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    calls = table.Column<int>(type: "integer", nullable: false),
                    paid_tries = table.Column<int>(type: "integer", nullable: false),
                    in_doubt = table.Column<int>(type: "integer", nullable: false),
                    reused = table.Column<int>(type: "integer", nullable: false),
                    budget_final = table.Column<bool>(type: "boolean", nullable: false),
                    score_id = table.Column<Guid>(type: "uuid", nullable: true),
                    score_attempt = table.Column<int>(type: "integer", nullable: false),
                    metrics_version = table.Column<string>(type: "text", nullable: true),
                    scores_json = table.Column<string>(type: "text", nullable: true),
                    coverage_json = table.Column<string>(type: "text", nullable: true),
                    visibility = table.Column<double>(type: "double precision", nullable: true),
                    visibility_low = table.Column<double>(type: "double precision", nullable: true),
                    visibility_high = table.Column<double>(type: "double precision", nullable: true),
                    overall = table.Column<double>(type: "double precision", nullable: true),
                    simulated = table.Column<bool>(type: "boolean", nullable: false),
                    report_attempt = table.Column<int>(type: "integer", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    updated_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false)
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
                    batch_id = table.Column<Guid>(type: "uuid", nullable: false),
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    engine = table.Column<string>(type: "text", nullable: false),
                    answer_count = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_batch", x => x.batch_id);
                });

            migrationBuilder.CreateTable(
                name: "batch_progress",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    batch_id = table.Column<Guid>(type: "uuid", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    engine = table.Column<string>(type: "text", nullable: false),
                    decided_calls = table.Column<int>(type: "integer", nullable: false),
                    total_calls = table.Column<int>(type: "integer", nullable: false),
                    waiting_for = table.Column<string>(type: "text", nullable: true),
                    waiting_until = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    worker = table.Column<string>(type: "text", nullable: true),
                    at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_batch_progress", x => new { x.audit_id, x.batch_id });
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
                name: "insight_layer",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    layer = table.Column<int>(type: "integer", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    json = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_insight_layer", x => new { x.audit_id, x.layer });
                });

            migrationBuilder.CreateTable(
                name: "login_link",
                columns: table => new
                {
                    token_hash = table.Column<string>(type: "text", nullable: false),
                    role = table.Column<string>(type: "text", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    expires_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    used_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_login_link", x => x.token_hash);
                });

            migrationBuilder.CreateTable(
                name: "manifest",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    json = table.Column<string>(type: "text", nullable: false),
                    published_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_manifest", x => new { x.audit_id, x.attempt });
                });

            migrationBuilder.CreateTable(
                name: "operator_action",
                columns: table => new
                {
                    action_id = table.Column<Guid>(type: "uuid", nullable: false),
                    at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    who = table.Column<string>(type: "text", nullable: false),
                    action = table.Column<string>(type: "text", nullable: false),
                    audit_id = table.Column<Guid>(type: "uuid", nullable: true),
                    reason = table.Column<string>(type: "text", nullable: false),
                    detail = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_operator_action", x => x.action_id);
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
                name: "panel",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    json = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_panel", x => x.audit_id);
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

            migrationBuilder.CreateTable(
                name: "score",
                columns: table => new
                {
                    score_id = table.Column<Guid>(type: "uuid", nullable: false),
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    scored_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    json = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_score", x => x.score_id);
                });

            migrationBuilder.CreateTable(
                name: "session",
                columns: table => new
                {
                    token_hash = table.Column<string>(type: "text", nullable: false),
                    role = table.Column<string>(type: "text", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    key_id = table.Column<Guid>(type: "uuid", nullable: true),
                    expires_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_session", x => x.token_hash);
                });

            migrationBuilder.CreateTable(
                name: "share_link",
                columns: table => new
                {
                    link_id = table.Column<Guid>(type: "uuid", nullable: false),
                    token_hash = table.Column<string>(type: "text", nullable: false),
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    created_by = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    revoked_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_share_link", x => x.link_id);
                });

            migrationBuilder.CreateTable(
                name: "transition",
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
                    table.PrimaryKey("pk_transition", x => new { x.audit_id, x.sequence });
                });

            migrationBuilder.CreateTable(
                name: "webhook",
                columns: table => new
                {
                    webhook_id = table.Column<Guid>(type: "uuid", nullable: false),
                    url = table.Column<string>(type: "text", nullable: false),
                    secret = table.Column<string>(type: "text", nullable: false),
                    created_by = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    removed_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_webhook", x => x.webhook_id);
                });

            migrationBuilder.CreateTable(
                name: "webhook_delivery",
                columns: table => new
                {
                    webhook_id = table.Column<Guid>(type: "uuid", nullable: false),
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    @event = table.Column<string>(name: "event", type: "text", nullable: false),
                    body = table.Column<string>(type: "text", nullable: false),
                    tries = table.Column<int>(type: "integer", nullable: false),
                    next_try_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    delivered_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    last_error = table.Column<string>(type: "text", nullable: true)
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
