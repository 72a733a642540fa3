using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.LlmGateway.Migrations.PostgreSql
{
    /// <inheritdoc />
    public partial class TriesOnTheWire : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_paid_try_ended",
                table: "paid_try");

            migrationBuilder.DropCheckConstraint(
                name: "ck_paid_try_state",
                table: "paid_try");

            migrationBuilder.DropCheckConstraint(
                name: "ck_paid_call_sending",
                table: "paid_call");

            migrationBuilder.DropColumn(
                name: "state_before",
                table: "paid_try");

            migrationBuilder.AddCheckConstraint(
                name: "ck_paid_try_ended",
                table: "paid_try",
                sql: "ended_at IS NOT NULL");

            migrationBuilder.AddCheckConstraint(
                name: "ck_paid_try_state",
                table: "paid_try",
                sql: "state IN ('Answered', 'Refused', 'Empty', 'NotBilled', 'NotSent', 'InDoubt')");

            migrationBuilder.AddCheckConstraint(
                name: "ck_paid_call_sending",
                table: "paid_call",
                sql: "state <> 'Sending' OR (try_id IS NOT NULL AND owner IS NOT NULL AND sent_at IS NOT NULL)");

            migrationBuilder.AddCheckConstraint(
                name: "ck_paid_call_try",
                table: "paid_call",
                sql: "CASE WHEN sent_at IS NULL THEN try_spent_micro_usd = 0 ELSE sent_by IS NOT NULL AND day IS NOT NULL AND try_spent_micro_usd >= 0 AND (state = 'Sending' OR (state IN ('Answered', 'Refused', 'Empty') AND answered_at IS NOT NULL)) END");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_paid_try_ended",
                table: "paid_try");

            migrationBuilder.DropCheckConstraint(
                name: "ck_paid_try_state",
                table: "paid_try");

            migrationBuilder.DropCheckConstraint(
                name: "ck_paid_call_sending",
                table: "paid_call");

            migrationBuilder.DropCheckConstraint(
                name: "ck_paid_call_try",
                table: "paid_call");

            migrationBuilder.AddColumn<string>(
                name: "state_before",
                table: "paid_try",
                type: "text",
                nullable: true);

            migrationBuilder.AddCheckConstraint(
                name: "ck_paid_try_ended",
                table: "paid_try",
                sql: "state = 'Sending' OR ended_at IS NOT NULL");

            migrationBuilder.AddCheckConstraint(
                name: "ck_paid_try_state",
                table: "paid_try",
                sql: "state IN ('Sending', 'Answered', 'Refused', 'Empty', 'NotBilled', 'NotSent', 'InDoubt')");

            migrationBuilder.AddCheckConstraint(
                name: "ck_paid_call_sending",
                table: "paid_call",
                sql: "state <> 'Sending' OR (try_id IS NOT NULL AND owner IS NOT NULL)");
        }
    }
}
