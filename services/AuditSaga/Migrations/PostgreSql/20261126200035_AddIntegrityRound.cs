using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.AuditSaga.Migrations.PostgreSql
{
    /// <inheritdoc />
    public partial class AddIntegrityRound : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "integrity_round",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false),
                    due_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    worker = table.Column<string>(type: "text", nullable: false),
                    compared_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_integrity_round", x => x.id);
                    table.CheckConstraint("ck_integrity_round_only_one", "id = 1");
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "integrity_round");
        }
    }
}
