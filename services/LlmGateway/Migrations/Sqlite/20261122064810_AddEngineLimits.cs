using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.LlmGateway.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class AddEngineLimits : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "breakers_json",
                table: "gateway_instance",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "changes_seen",
                table: "gateway_instance",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.CreateTable(
                name: "engine_change",
                columns: table => new
                {
                    change_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    engine = table.Column<string>(type: "TEXT", nullable: false),
                    change = table.Column<string>(type: "TEXT", maxLength: 16, nullable: false),
                    detail = table.Column<string>(type: "TEXT", nullable: true),
                    reason = table.Column<string>(type: "TEXT", nullable: false),
                    changed_by = table.Column<string>(type: "TEXT", nullable: false),
                    changed_at = table.Column<DateTime>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_engine_change", x => x.change_id);
                    table.CheckConstraint("ck_engine_change_change", "change IN ('Paused', 'Resumed', 'LimitsSet')");
                });

            migrationBuilder.CreateTable(
                name: "engine_limit",
                columns: table => new
                {
                    engine = table.Column<string>(type: "TEXT", nullable: false),
                    max_concurrency = table.Column<int>(type: "INTEGER", nullable: true),
                    requests_per_minute = table.Column<int>(type: "INTEGER", nullable: true),
                    tokens_per_minute = table.Column<int>(type: "INTEGER", nullable: true),
                    reason = table.Column<string>(type: "TEXT", nullable: false),
                    set_by = table.Column<string>(type: "TEXT", nullable: false),
                    set_at = table.Column<DateTime>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_engine_limit", x => x.engine);
                    table.CheckConstraint("ck_engine_limit_positive", "max_concurrency >= 1 AND requests_per_minute >= 1 AND tokens_per_minute >= 1");
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "engine_change");

            migrationBuilder.DropTable(
                name: "engine_limit");

            migrationBuilder.DropColumn(
                name: "breakers_json",
                table: "gateway_instance");

            migrationBuilder.DropColumn(
                name: "changes_seen",
                table: "gateway_instance");
        }
    }
}
