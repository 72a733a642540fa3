using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.LlmGateway.Migrations.PostgreSql
{
    /// <inheritdoc />
    public partial class AddAuditTrace : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "trace_parent",
                table: "audit_budget",
                type: "character varying(55)",
                maxLength: 55,
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "trace_parent",
                table: "audit_budget");
        }
    }
}
