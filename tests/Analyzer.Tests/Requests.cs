using Assay.Contracts;

namespace Assay.Analyzer.Tests;

static class Requests
{
    public static RequestAudit Anker(Guid? auditId = null) => new()
    {
        AuditId = auditId ?? new Guid("00000000-0000-0000-0000-00000000a11c"),
        Brand = new Brand { Name = "Anker", Domain = "anker.com", Aliases = ["Soundcore"], Industry = "portable chargers", Features = ["fast charging"] },
        Competitors = [new Competitor { Name = "Sony", Domain = "sony.com" }, new Competitor { Name = "JBL" }],
        Queries = ["best earbuds for working out"],
        Engines = ["chatgpt", "claude"],
        CeilingUsd = 5,
    };
}
