using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Assay.LlmGateway.Migrations.PostgreSql
{
    /// <inheritdoc />
    public partial class FewerIndexesOfTries : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_paid_try_call_key",
                table: "paid_try");

            migrationBuilder.DropIndex(
                name: "ix_paid_try_ended_at",
                table: "paid_try");

            migrationBuilder.DropIndex(
                name: "ix_paid_try_sending",
                table: "paid_try");

            // Room on every page for the outcomes of its tries.
            migrationBuilder.Sql("ALTER TABLE paid_try SET (fillfactor = 45)");

            migrationBuilder.CreateIndex(
                name: "ix_paid_try_sent_at",
                table: "paid_try",
                column: "sent_at");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("ALTER TABLE paid_try RESET (fillfactor)");

            migrationBuilder.DropIndex(
                name: "ix_paid_try_sent_at",
                table: "paid_try");

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
        }
    }
}
