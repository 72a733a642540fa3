namespace Assay.ServiceDefaults.Tests;

public sealed class NamesInTheDatabase
{
    [Theory]
    [InlineData("AuditId", "audit_id")]
    [InlineData("SpentMicroUsd", "spent_micro_usd")]
    [InlineData("PK_paid_call", "pk_paid_call")]
    [InlineData("IX_PaidTry_CallKey", "ix_paid_try_call_key")]
    [InlineData("BaseURLHash", "base_url_hash")]
    [InlineData("already_snake", "already_snake")]
    public void Should_be_snake_case(string name, string expected) => SnakeCaseNames.Of(name).ShouldBe(expected);
}
