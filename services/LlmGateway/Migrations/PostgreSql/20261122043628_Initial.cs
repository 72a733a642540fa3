using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Assay.LlmGateway.Migrations.PostgreSql
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "audit_budget",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    tracking_id = table.Column<Guid>(type: "uuid", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    closed_attempt = table.Column<int>(type: "integer", nullable: false),
                    state = table.Column<string>(type: "character varying(16)", maxLength: 16, nullable: false),
                    ceiling_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    tree_ceiling_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    planned_calls = table.Column<int>(type: "integer", nullable: false),
                    worst_case_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    answers_worst_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    insights_worst_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    phase = table.Column<string>(type: "text", nullable: true),
                    allocated_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    reserved_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    day = table.Column<string>(type: "character varying(10)", maxLength: 10, nullable: true),
                    deadline_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    in_doubt_policy = table.Column<string>(type: "character varying(16)", maxLength: 16, nullable: false),
                    ask_again_attempt = table.Column<int>(type: "integer", nullable: false),
                    pins_json = table.Column<string>(type: "text", nullable: true),
                    queue_number = table.Column<long>(type: "bigint", nullable: false),
                    requested_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    opened_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    ledger_sequence = table.Column<long>(type: "bigint", nullable: false),
                    refusal_reason = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: true),
                    refusal_detail = table.Column<string>(type: "text", nullable: true),
                    report_version = table.Column<long>(type: "bigint", nullable: false),
                    alive_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_audit_budget", x => x.audit_id);
                    table.CheckConstraint("ck_audit_budget_allocated", "reserved_micro_usd >= 0 AND reserved_micro_usd <= allocated_micro_usd");
                    table.CheckConstraint("ck_audit_budget_closed", "state = 'Open' OR allocated_micro_usd = 0");
                    table.CheckConstraint("ck_audit_budget_day", "state <> 'Open' OR (day IS NOT NULL AND pins_json IS NOT NULL)");
                    table.CheckConstraint("ck_audit_budget_fence", "(state = 'Closed' AND closed_attempt >= attempt) OR (state <> 'Closed' AND closed_attempt < attempt)");
                    table.CheckConstraint("ck_audit_budget_refusal", "state <> 'Refused' OR refusal_reason IS NOT NULL");
                    table.CheckConstraint("ck_audit_budget_state", "state IN ('Waiting', 'Open', 'Refused', 'Closed')");
                });

            migrationBuilder.CreateTable(
                name: "batch",
                columns: table => new
                {
                    batch_id = table.Column<Guid>(type: "uuid", nullable: false),
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    purpose = table.Column<string>(type: "text", nullable: false),
                    engine = table.Column<string>(type: "text", nullable: false),
                    engine_kind = table.Column<string>(type: "text", nullable: false),
                    model = table.Column<string>(type: "text", nullable: false),
                    simulated = table.Column<bool>(type: "boolean", nullable: false),
                    total = table.Column<int>(type: "integer", nullable: false),
                    deadline_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    received_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    finished_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    stored_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    alive_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_batch", x => x.batch_id);
                });

            migrationBuilder.CreateTable(
                name: "batch_call",
                columns: table => new
                {
                    batch_id = table.Column<Guid>(type: "uuid", nullable: false),
                    position = table.Column<int>(type: "integer", nullable: false),
                    question_id = table.Column<string>(type: "text", nullable: false),
                    call_key = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false),
                    reused = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_batch_call", x => new { x.batch_id, x.position });
                });

            migrationBuilder.CreateTable(
                name: "gateway_instance",
                columns: table => new
                {
                    owner = table.Column<Guid>(type: "uuid", nullable: false),
                    worker = table.Column<string>(type: "text", nullable: false),
                    lock_key = table.Column<int>(type: "integer", nullable: false),
                    started_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    lease_until = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    dead_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    divisor = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_gateway_instance", x => x.owner);
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
                name: "paid_call",
                columns: table => new
                {
                    call_key = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false),
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    purpose = table.Column<string>(type: "text", nullable: false),
                    engine = table.Column<string>(type: "text", nullable: false),
                    model = table.Column<string>(type: "text", nullable: false),
                    run = table.Column<int>(type: "integer", nullable: false),
                    request_json = table.Column<string>(type: "text", nullable: false),
                    worst_case_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    token_bound = table.Column<int>(type: "integer", nullable: false),
                    state = table.Column<string>(type: "character varying(16)", maxLength: 16, nullable: false),
                    reason = table.Column<string>(type: "text", nullable: true),
                    owner = table.Column<Guid>(type: "uuid", nullable: true),
                    try_id = table.Column<Guid>(type: "uuid", nullable: true),
                    reserved_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    spent_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    tries = table.Column<int>(type: "integer", nullable: false),
                    invalid_tries = table.Column<int>(type: "integer", nullable: false),
                    paid_tries = table.Column<int>(type: "integer", nullable: false),
                    fallback_state = table.Column<string>(type: "text", nullable: true),
                    permitted_attempt = table.Column<int>(type: "integer", nullable: false),
                    deadline_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    planned_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    position = table.Column<int>(type: "integer", nullable: false),
                    text = table.Column<string>(type: "text", nullable: true),
                    text_hash = table.Column<string>(type: "text", nullable: true),
                    sources_json = table.Column<string>(type: "text", nullable: true),
                    search_used = table.Column<bool>(type: "boolean", nullable: true),
                    served_model = table.Column<string>(type: "text", nullable: true),
                    surface = table.Column<string>(type: "text", nullable: true),
                    response_time_ms = table.Column<int>(type: "integer", nullable: true),
                    input_tokens = table.Column<int>(type: "integer", nullable: true),
                    output_tokens = table.Column<int>(type: "integer", nullable: true),
                    cache_hit = table.Column<bool>(type: "boolean", nullable: false),
                    raw_hash = table.Column<string>(type: "text", nullable: true),
                    answered_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_paid_call", x => x.call_key);
                    table.CheckConstraint("ck_paid_call_answered", "state <> 'Answered' OR (text_hash IS NOT NULL AND answered_at IS NOT NULL)");
                    table.CheckConstraint("ck_paid_call_money", "reserved_micro_usd >= 0 AND spent_micro_usd >= 0");
                    table.CheckConstraint("ck_paid_call_reason", "state NOT IN ('Declined', 'InDoubt', 'Empty') OR reason IS NOT NULL");
                    table.CheckConstraint("ck_paid_call_reserved", "reserved_micro_usd = 0 OR (state IN ('Planned', 'Sending') AND owner IS NOT NULL)");
                    table.CheckConstraint("ck_paid_call_sending", "state <> 'Sending' OR (try_id IS NOT NULL AND owner IS NOT NULL)");
                    table.CheckConstraint("ck_paid_call_state", "state IN ('Planned', 'Sending', 'Answered', 'Declined', 'Refused', 'Empty', 'InDoubt')");
                    table.CheckConstraint("ck_paid_call_text", "text IS NULL OR text_hash IS NOT NULL");
                });

            migrationBuilder.CreateTable(
                name: "paid_try",
                columns: table => new
                {
                    try_id = table.Column<Guid>(type: "uuid", nullable: false),
                    call_key = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false),
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    owner = table.Column<Guid>(type: "uuid", nullable: false),
                    number = table.Column<int>(type: "integer", nullable: false),
                    engine = table.Column<string>(type: "text", nullable: false),
                    permitted = table.Column<int>(type: "integer", nullable: false),
                    state = table.Column<string>(type: "character varying(16)", maxLength: 16, nullable: false),
                    reason = table.Column<string>(type: "text", nullable: true),
                    http_status = table.Column<int>(type: "integer", nullable: true),
                    reserved_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    spent_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    day = table.Column<string>(type: "text", nullable: false),
                    sent_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    ended_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    state_before = table.Column<string>(type: "text", nullable: true),
                    spent_before_micro_usd = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_paid_try", x => x.try_id);
                    table.CheckConstraint("ck_paid_try_ended", "state = 'Sending' OR ended_at IS NOT NULL");
                    table.CheckConstraint("ck_paid_try_free", "state NOT IN ('NotBilled', 'NotSent') OR spent_micro_usd = 0");
                    table.CheckConstraint("ck_paid_try_money", "reserved_micro_usd >= 0 AND spent_micro_usd >= 0");
                    table.CheckConstraint("ck_paid_try_state", "state IN ('Sending', 'Answered', 'Refused', 'Empty', 'NotBilled', 'NotSent', 'InDoubt')");
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
                name: "spending",
                columns: table => new
                {
                    scope = table.Column<string>(type: "character varying(60)", maxLength: 60, nullable: false),
                    ceiling_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    reserved_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    spent_micro_usd = table.Column<long>(type: "bigint", nullable: false),
                    overrun_micro_usd = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_spending", x => x.scope);
                    table.CheckConstraint("ck_spending_ceiling", "reserved_micro_usd + spent_micro_usd <= ceiling_micro_usd");
                    table.CheckConstraint("ck_spending_overrun", "overrun_micro_usd >= 0");
                    table.CheckConstraint("ck_spending_reserved", "reserved_micro_usd >= 0");
                    table.CheckConstraint("ck_spending_spent", "spent_micro_usd >= 0");
                });

            migrationBuilder.CreateTable(
                name: "spending_halt",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false),
                    halted = table.Column<int>(type: "integer", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: true),
                    halted_by = table.Column<string>(type: "text", nullable: true),
                    halted_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    ledger_sequence = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_spending_halt", x => x.id);
                    table.CheckConstraint("ck_spending_halt_said", "halted = 0 OR (reason IS NOT NULL AND halted_at IS NOT NULL)");
                    table.CheckConstraint("ck_spending_halt_single", "id = 1");
                });

            migrationBuilder.InsertData(
                table: "spending_halt",
                columns: new[] { "id", "halted", "halted_at", "halted_by", "ledger_sequence", "reason" },
                values: new object[] { 1, 0, null, null, 0L, null });

            migrationBuilder.CreateIndex(
                name: "ix_audit_budget_state",
                table: "audit_budget",
                column: "state",
                filter: "state IN ('Waiting', 'Open')");

            migrationBuilder.CreateIndex(
                name: "ix_batch_audit_id",
                table: "batch",
                column: "audit_id");

            migrationBuilder.CreateIndex(
                name: "ix_batch_open",
                table: "batch",
                columns: new[] { "engine", "audit_id" },
                filter: "finished_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_batch_call_call_key",
                table: "batch_call",
                column: "call_key");

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
                name: "ix_paid_call_audit_id",
                table: "paid_call",
                column: "audit_id");

            migrationBuilder.CreateIndex(
                name: "ix_paid_call_owned",
                table: "paid_call",
                column: "owner",
                filter: "owner IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_paid_call_planned",
                table: "paid_call",
                columns: new[] { "engine", "audit_id", "planned_at", "position" },
                filter: "state = 'Planned'");

            migrationBuilder.CreateIndex(
                name: "ix_paid_try_audit_id",
                table: "paid_try",
                column: "audit_id");

            migrationBuilder.CreateIndex(
                name: "ix_paid_try_call_key",
                table: "paid_try",
                column: "call_key");

            migrationBuilder.CreateIndex(
                name: "ix_paid_try_ended_at",
                table: "paid_try",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "ix_paid_try_sending",
                table: "paid_try",
                column: "owner",
                filter: "state = 'Sending'");

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
                name: "audit_budget");

            migrationBuilder.DropTable(
                name: "batch");

            migrationBuilder.DropTable(
                name: "batch_call");

            migrationBuilder.DropTable(
                name: "gateway_instance");

            migrationBuilder.DropTable(
                name: "InboxState");

            migrationBuilder.DropTable(
                name: "OutboxMessage");

            migrationBuilder.DropTable(
                name: "OutboxState");

            migrationBuilder.DropTable(
                name: "paid_call");

            migrationBuilder.DropTable(
                name: "paid_try");

            migrationBuilder.DropTable(
                name: "scheduled_message");

            migrationBuilder.DropTable(
                name: "spending");

            migrationBuilder.DropTable(
                name: "spending_halt");
        }
    }
}
