using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.LlmGateway.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class TriesInTheirCalls : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "day",
                table: "paid_call",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "http_status",
                table: "paid_call",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "permitted",
                table: "paid_call",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<DateTime>(
                name: "sent_at",
                table: "paid_call",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<Guid>(
                name: "sent_by",
                table: "paid_call",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "try_spent_micro_usd",
                table: "paid_call",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.CreateIndex(
                name: "ix_batch_finished_at",
                table: "batch",
                column: "finished_at");

            // What is on the wire now was sent by a process that is gone; its sweep looks for it in the call.
            migrationBuilder.Sql("UPDATE paid_call SET sent_at = t.sent_at, sent_by = t.owner, permitted = t.permitted, day = t.day FROM paid_try t WHERE t.try_id = paid_call.try_id AND paid_call.state = 'Sending'");

            migrationBuilder.Sql("DELETE FROM paid_try WHERE state = 'Sending'");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("""
                INSERT INTO paid_try (try_id, call_key, audit_id, attempt, owner, number, engine, permitted, state, reason, http_status, reserved_micro_usd, spent_micro_usd, day, sent_at, ended_at, spent_before_micro_usd)
                SELECT try_id, call_key, audit_id, attempt, sent_by, tries, engine, permitted, state, reason, http_status, worst_case_micro_usd, try_spent_micro_usd, day, sent_at, answered_at, 0 FROM paid_call WHERE sent_at IS NOT NULL
                """);

            migrationBuilder.DropIndex(
                name: "ix_batch_finished_at",
                table: "batch");

            migrationBuilder.DropColumn(
                name: "day",
                table: "paid_call");

            migrationBuilder.DropColumn(
                name: "http_status",
                table: "paid_call");

            migrationBuilder.DropColumn(
                name: "permitted",
                table: "paid_call");

            migrationBuilder.DropColumn(
                name: "sent_at",
                table: "paid_call");

            migrationBuilder.DropColumn(
                name: "sent_by",
                table: "paid_call");

            migrationBuilder.DropColumn(
                name: "try_spent_micro_usd",
                table: "paid_call");
        }
    }
}
