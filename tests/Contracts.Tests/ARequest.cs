using Assay.Contracts.Internal.AuditSaga;

namespace Assay.Contracts.Tests;

public sealed class ARequest
{
    static readonly RequestAudit Valid = new()
    {
        AuditId = Guid.NewGuid(),
        Brand = new Brand { Name = "Anker" },
        Queries = ["best earbuds"],
        Engines = ["chatgpt"],
        CeilingUsd = 1,
    };

    public static TheoryData<string, RequestAudit> Wrong => new()
    {
        { "auditId", Valid with { AuditId = Guid.Empty } },
        { "kind", Valid with { Kind = "planet" } },
        { "brand", Valid with { Brand = null! } },
        { "brand.name", Valid with { Brand = new Brand { Name = " " } } },
        { "brand.name", Valid with { Brand = new Brand { Name = "!!!" } } },
        { "brand.aliases", Valid with { Brand = new Brand { Name = "Anker", Aliases = [""] } } },
        { "competitors[0].name", Valid with { Competitors = [new Competitor { Name = "" }] } },
        { "competitors", Valid with { Competitors = [new Competitor { Name = "anker" }] } },
        { "queries", Valid with { Queries = null } },
        { "queries", Valid with { Queries = ["a", " "] } },
        { "queries", Valid with { Queries = [.. Enumerable.Range(0, 10_000).Select(i => $"query {i}")] } },
        { "queryCount", Valid with { Queries = null, QueryCount = 0 } },
        { "engines", Valid with { Engines = [] } },
        { "engines", Valid with { Engines = null! } },
        { "engines", Valid with { Engines = ["chatgpt", "ChatGPT"] } },
        { "runs", Valid with { Runs = 0 } },
        { "queries", Valid with { Queries = null, QueryCount = 1000, Runs = 10, Engines = ["a", "b", "c"] } },
        { "locale", Valid with { Locale = "english please" } },
        { "ceilingUsd", Valid with { CeilingUsd = 0 } },
        { "ceilingUsd", Valid with { CeilingUsd = -1 } },
        { "treeCeilingUsd", Valid with { TreeCeilingUsd = 0 } },
        { "inDoubt", Valid with { InDoubt = "maybe" } },
        { "minCoverage", Valid with { MinCoverage = double.NaN } },
        { "deadlineMinutes", Valid with { DeadlineMinutes = 0 } },
        { "parentAuditId", Valid with { ParentAuditId = Valid.AuditId } },
    };

    [Fact]
    public void Should_be_valid_with_a_brand_a_panel_an_engine_and_a_ceiling() => AuditRequestRules.Check(Valid).ShouldBeEmpty();

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Should_name_the_field_that_is_wrong(string field, RequestAudit request) =>
        AuditRequestRules.Check(request).Select(problem => problem.Field).ShouldBe([field]);

    [Fact]
    public void Should_not_be_missing() => AuditRequestRules.Check(null).ShouldHaveSingleItem();
}
