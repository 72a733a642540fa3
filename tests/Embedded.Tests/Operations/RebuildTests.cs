using System.Text.Json.Nodes;
using Assay.Embedded.Cli;
using Assay.Embedded.Tests.Audits;
using Assay.TestServers;
using Microsoft.Data.Sqlite;

namespace Assay.Embedded.Tests.Operations;

public sealed class When_the_read_model_is_rebuilt
{
    static readonly Dictionary<string, string> AtOnce = new(StringComparer.Ordinal) { ["AuditSaga__IntegritySettle"] = "00:00:00" };

    [Fact]
    public async Task Should_show_what_it_showed_also_when_nothing_was_left_of_it()
    {
        using var folder = new TemporaryFolder();
        List<Guid> audits = [];
        for (var i = 1; i <= 2; i++)
        {
            audits.Add(await Requests.WriteAsync(folder, $"{i}.json", queries: i + 1));
            var audit = await RunAsync(folder, "audit", $"{i}.json", "--data", "data", "--out", $"out{i}", "--quiet");
            audit.ExitCode.ShouldBe(ExitCodes.Done, audit.ToString());
        }

        var before = await ShownAsync(folder, audits, "before");

        // As an operator asks for it: nothing is emptied, everything is told again.
        var rebuilt = await RunAsync(folder, "rebuild", "--reason", "a test", "--data", "data");
        rebuilt.ExitCode.ShouldBe(ExitCodes.Done, rebuilt.ToString());
        rebuilt.Output.ShouldStartWith("rebuilt: 2 audits were told anew");
        (await ShownAsync(folder, audits, "told-again")).ShouldBe(before);

        // As after a loss: not a row is left of any audit.
        await EmptyAsync(folder, "audit", "panel", "batch", "batch_progress", "answer", "score", "insight_layer", "judgement", "manifest", "attempt_end", "transition");
        (await RunAsync(folder, "show", audits[0].ToString(), "--data", "data")).ExitCode.ShouldBe(ExitCodes.BadInput);
        rebuilt = await RunAsync(folder, "rebuild", "--data", "data");
        rebuilt.ExitCode.ShouldBe(ExitCodes.Done, rebuilt.ToString());
        rebuilt.Output.ShouldStartWith("rebuilt: 2 audits were told anew, the money of 2 by the ledger");
        (await ShownAsync(folder, audits, "from-nothing")).ShouldBe(before);
        var doctor = await RunAsync(folder, "doctor", "--integrity", "--data", "data");
        doctor.ExitCode.ShouldBe(ExitCodes.Done, doctor.ToString());
        doctor.Output.ShouldContain("agree on 2 ended audits");
    }

    static async Task<string> ShownAsync(TemporaryFolder folder, IEnumerable<Guid> audits, string where)
    {
        List<string> shown = [];
        foreach (var audit in audits)
        {
            var export = await RunAsync(folder, "export", audit.ToString(), "--data", "data", "--out", $"{where}-{audit}");
            export.ExitCode.ShouldBe(ExitCodes.Done, export.ToString());
            var report = JsonNode.Parse(await File.ReadAllTextAsync(folder.File($"{where}-{audit}/report.json")))!.AsObject();
            report.Remove("generatedAt").ShouldBeTrue();
            shown.Add(report.ToJsonString());
        }

        return string.Join('\n', shown);
    }

    static async Task<AssayProcess.Result> RunAsync(TemporaryFolder folder, params string[] arguments)
    {
        await using var started = AssayProcess.Start(folder.FullPath, AtOnce, arguments);
        return await started.EndAsync();
    }

    static async Task EmptyAsync(TemporaryFolder folder, params string[] tables)
    {
        await using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = folder.File("data/dashboard.db"), Pooling = false }.ToString());
        await connection.OpenAsync();
        foreach (var table in tables)
        {
            await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The test's own words.
            command.CommandText = $"DELETE FROM {table}";
#pragma warning restore CA2100
            await command.ExecuteNonQueryAsync();
        }
    }
}
