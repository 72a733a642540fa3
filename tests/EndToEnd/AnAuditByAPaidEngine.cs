using Assay.TestServers;

namespace Assay.EndToEnd;

public sealed class AnAuditByAPaidEngine
{
    [Fact]
    [Trait("Needs", "Shared")]
    public async Task Should_pay_as_many_calls_as_the_report_says()
    {
        using var assay = new AssayCommand();
        await using var provider = await FakeLlm.StartAsync("latency=5");
        await File.WriteAllTextAsync(Path.Combine(assay.Folder, "request.json"), RecordedAnswers.Request([.. RecordedAnswers.Queries.Take(6)], "paid").ToJsonString());
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Engines__paid__Kind"] = "openai",
            ["Engines__paid__BaseUrl"] = $"{provider.BaseUrl}v1",
            ["Engines__paid__Model"] = "fake-1",
            ["Engines__paid__ApiKey"] = "not-a-key",
            ["Engines__paid__InputUsdPerMTok"] = "2.5",
            ["Engines__paid__OutputUsdPerMTok"] = "10",
            ["Engines__paid__MaxOutputTokens"] = "1000",
        };

        var result = await assay.RunAsync(["audit", "request.json", "--out", "out", "--yes"], settings);

        result.ExitCode.ShouldBe(0, result.ToString());
        var report = await Report.ReadAsync(Path.Combine(assay.Folder, "out", "report.json"));
        var stats = await provider.StatsAsync();
        report.ShouldAddUp();
        report.GetProperty("spend").Number("paidTries").ShouldBe(stats.Number("billed") + 22);
        stats.Number("billed").ShouldBe(6);
        stats.Number("duplicateBilled").ShouldBe(0);
        var spent = report.GetProperty("spend").GetProperty("spentUsd").GetDecimal();
        spent.ShouldBeInRange(stats.GetProperty("usd").GetDecimal(), stats.GetProperty("usd").GetDecimal() + 0.00001m);
    }
}
