using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.Dashboard.Migrations.PostgreSql
{
    /// <inheritdoc />
    public partial class OperationsAndTombstones : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "trace_id",
                table: "transition",
                type: "text",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "attempt_end",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    status = table.Column<string>(type: "text", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: true),
                    detail = table.Column<string>(type: "text", nullable: true),
                    phase = table.Column<string>(type: "text", nullable: true),
                    ended_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    spent_micro_usd = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_attempt_end", x => new { x.audit_id, x.attempt });
                });

            migrationBuilder.CreateTable(
                name: "deleted_audit",
                columns: table => new
                {
                    audit_id = table.Column<Guid>(type: "uuid", nullable: false),
                    deleted_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    deleted_by = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_deleted_audit", x => x.audit_id);
                });

            migrationBuilder.CreateTable(
                name: "known_queue",
                columns: table => new
                {
                    name = table.Column<string>(type: "text", nullable: false),
                    service = table.Column<string>(type: "text", nullable: false),
                    learned_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_known_queue", x => x.name);
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "attempt_end");

            migrationBuilder.DropTable(
                name: "deleted_audit");

            migrationBuilder.DropTable(
                name: "known_queue");

            migrationBuilder.DropColumn(
                name: "trace_id",
                table: "transition");
        }
    }
}
