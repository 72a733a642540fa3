using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.LlmGateway.Migrations.PostgreSql
{
    /// <inheritdoc />
    public partial class FewerIndexesOfCalls : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_paid_call_owned",
                table: "paid_call");

            migrationBuilder.DropIndex(
                name: "ix_paid_call_planned",
                table: "paid_call");

            migrationBuilder.DropIndex(
                name: "ix_batch_call_call_key",
                table: "batch_call");

            migrationBuilder.DropIndex(
                name: "ix_batch_open",
                table: "batch");

            // Room on every page for its calls' next versions.
            migrationBuilder.Sql("ALTER TABLE paid_call SET (fillfactor = 45)");

            migrationBuilder.AddColumn<DateTime>(
                name: "swept_at",
                table: "gateway_instance",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddCheckConstraint(
                name: "ck_gateway_instance_swept",
                table: "gateway_instance",
                sql: "swept_at IS NULL OR dead_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_batch_open",
                table: "batch",
                columns: new[] { "engine", "audit_id", "received_at", "batch_id" },
                filter: "finished_at IS NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("ALTER TABLE paid_call RESET (fillfactor)");

            migrationBuilder.DropCheckConstraint(
                name: "ck_gateway_instance_swept",
                table: "gateway_instance");

            migrationBuilder.DropIndex(
                name: "ix_batch_open",
                table: "batch");

            migrationBuilder.DropColumn(
                name: "swept_at",
                table: "gateway_instance");

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
                name: "ix_batch_call_call_key",
                table: "batch_call",
                column: "call_key");

            migrationBuilder.CreateIndex(
                name: "ix_batch_open",
                table: "batch",
                columns: new[] { "engine", "audit_id" },
                filter: "finished_at IS NULL");
        }
    }
}
