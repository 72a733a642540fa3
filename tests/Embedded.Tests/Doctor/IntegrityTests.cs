using System.Globalization;
using Assay.Embedded.Cli;
using Assay.Embedded.Tests.Audits;
using Assay.TestServers;
using Microsoft.Data.Sqlite;

namespace Assay.Embedded.Tests.Doctor;

public sealed class When_the_services_disagree
{
    static readonly Dictionary<string, string> AtOnce = new(StringComparer.Ordinal) { ["AuditSaga__IntegritySettle"] = "00:00:00" };

    [Fact]
    public async Task Should_count_what_differs_and_repair_the_read_model_only()
    {
        using var folder = new TemporaryFolder();
        var audits = new List<Guid>();
        for (var i = 1; i <= 6; i++)
        {
            audits.Add(await Requests.WriteAsync(folder, $"{i}.json", queries: i));
            var audit = await AssayProcess.RunAsync(folder.FullPath, "audit", $"{i}.json", "--data", "data", "--out", $"out{i}", "--quiet");
            audit.ExitCode.ShouldBe(ExitCodes.Done, audit.ToString());
        }

        var well = await DoctorAsync(folder);
        well.ExitCode.ShouldBe(ExitCodes.Done, well.ToString());
        well.Output.ShouldContain("agree on 6 ended audits");

        // One planted difference after the other, in each service's database.
        await ChangeAsync(folder, "dashboard", "UPDATE audit SET status = 'Failed', failure_reason = 'Stalled', ended_at = created_at WHERE audit_id = $id", audits[0]);
        foreach (var table in new[] { "audit", "answer", "batch", "score", "insight_layer", "transition", "manifest", "panel" })
            await ChangeAsync(folder, "dashboard", $"DELETE FROM {table} WHERE audit_id = $id", audits[1]);
        await ChangeAsync(folder, "dashboard", "DELETE FROM answer WHERE audit_id = $id AND engine = 'claude'", audits[2]);
        await ChangeAsync(folder, "llm-gateway", "UPDATE spending SET spent_micro_usd = spent_micro_usd + 1234 WHERE scope = 'audit:' || LOWER($id)", audits[3]);
        await ChangeAsync(folder, "analyzer", "DELETE FROM score WHERE audit_id = $id", audits[4]);
        await ChangeAsync(folder, "audit-saga", "DELETE FROM audit WHERE audit_id = $id", audits[5]);

        var first = await DoctorAsync(folder);
        first.ExitCode.ShouldBe(ExitCodes.Failed, first.ToString());
        Found(first).ShouldBe(
        [
            "AnalysisMissing: 1 audit", "AnalysisUnknown: 1 audit", "LedgerUnknown: 1 audit", "ReadModelMissing: 1 audit, repaired", "ReadModelUnknown: 1 audit",
            "ResultShownDiffers: 1 audit, repaired", "SpendingDiffers: 1 audit", "SpendingShownDiffers: 1 audit, repaired", "StateShownDiffers: 1 audit, repaired",
        ], first.ToString());
        first.Output.ShouldContain($"{audits[0]}: Completed in attempt 1, shown as Failed (Stalled) in attempt 1");

        // What only the read model had wrong is right now; the rest is as it was: nothing else is touched.
        var second = await DoctorAsync(folder);
        Found(second).ShouldBe(["AnalysisMissing: 1 audit", "AnalysisUnknown: 1 audit", "LedgerUnknown: 1 audit", "ReadModelUnknown: 1 audit", "SpendingDiffers: 1 audit"], second.ToString());
        foreach (var repaired in audits[..3])
        {
            var shown = await AssayProcess.RunAsync(folder.FullPath, "export", repaired.ToString(), "--data", "data", "--out", $"again-{repaired}");
            shown.ExitCode.ShouldBe(ExitCodes.Done, shown.ToString());
            using var report = await Requests.ReadReportAsync(folder.File($"again-{repaired}"));
            report.RootElement.GetProperty("status").GetString().ShouldBe("Completed");
            report.RootElement.GetProperty("answers").GetArrayLength().ShouldBe(report.RootElement.GetProperty("coverage").Count("planned"));
        }
    }

    static Task<AssayProcess.Result> DoctorAsync(TemporaryFolder folder) => RunAsync(folder, AtOnce, "doctor", "--integrity", "--data", "data");

    static async Task<AssayProcess.Result> RunAsync(TemporaryFolder folder, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        await using var started = AssayProcess.Start(folder.FullPath, environment, arguments);
        return await started.EndAsync();
    }

    static string[] Found(AssayProcess.Result result) =>
        [.. result.Output.Split('\n').Where(line => line.StartsWith("FAIL  integrity", StringComparison.Ordinal)).Select(line => line["FAIL  integrity ".Length..])];

    static async Task ChangeAsync(TemporaryFolder folder, string database, string sql, Guid auditId)
    {
        await using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = folder.File($"data/{database}.db"), Pooling = false }.ToString());
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The test's own words.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.Parameters.AddWithValue("$id", auditId.ToString().ToUpper(CultureInfo.InvariantCulture));
        (await command.ExecuteNonQueryAsync()).ShouldBeGreaterThan(0, $"{sql} must change something");
    }
}
