using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.AuditSaga.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class AddErasedAt : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTime>(
                name: "erased_at",
                table: "audit",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddCheckConstraint(
                name: "ck_audit_erased_has_ended",
                table: "audit",
                sql: "erased_at IS NULL OR current_state IN ('Completed', 'Failed', 'Cancelled', 'Rejected')");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_audit_erased_has_ended",
                table: "audit");

            migrationBuilder.DropColumn(
                name: "erased_at",
                table: "audit");
        }
    }
}
