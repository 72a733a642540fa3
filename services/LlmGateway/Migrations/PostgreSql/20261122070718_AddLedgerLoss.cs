using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.LlmGateway.Migrations.PostgreSql
{
    /// <inheritdoc />
    public partial class AddLedgerLoss : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTime>(
                name: "loss_found_at",
                table: "spending_halt",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "lost_sequence",
                table: "spending_halt",
                type: "bigint",
                nullable: true);

            migrationBuilder.UpdateData(
                table: "spending_halt",
                keyColumn: "id",
                keyValue: 1,
                columns: new[] { "loss_found_at", "lost_sequence" },
                values: new object[] { null, null });

            migrationBuilder.AddCheckConstraint(
                name: "ck_spending_halt_restored",
                table: "spending_halt",
                sql: "lost_sequence IS NULL OR (halted = 1 AND loss_found_at IS NOT NULL)");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_spending_halt_restored",
                table: "spending_halt");

            migrationBuilder.DropColumn(
                name: "loss_found_at",
                table: "spending_halt");

            migrationBuilder.DropColumn(
                name: "lost_sequence",
                table: "spending_halt");
        }
    }
}
