using Assay.TestServers;

namespace Assay.EndToEnd;

public sealed class AFirstRun
{
    [Fact]
    public async Task Should_complete_the_sample_audit_and_reuse_it_the_second_time()
    {
        using var assay = new AssayCommand();
        Directory.CreateDirectory(Path.Combine(assay.Folder, "samples"));
        File.Copy(Path.Combine(SharedFolder.RepositoryRoot, "samples", "anker.json"), Path.Combine(assay.Folder, "samples", "anker.json"));

        var first = await assay.RunAsync(["audit", "samples/anker.json", "--out", "out"]);

        first.ExitCode.ShouldBe(0, first.ToString());
        var report = await Report.ReadAsync(Path.Combine(assay.Folder, "out", "report.json"));
        report.Text("status").ShouldBe("Completed");
        report.ShouldAddUp();
        report.ShouldHoldMentionsAtTheirOffsets(["Anker", "Soundcore", "Sony", "JBL", "Apple", "AirPods", "Bose"]);
        report.GetProperty("insights").EnumerateArray().Count(insight => insight.Number("layer") == 1).ShouldBe(18);
        report.GetProperty("insights").EnumerateArray().Count(insight => insight.Number("layer") == 2).ShouldBe(3);
        report.GetProperty("insights").EnumerateArray().Count(insight => insight.Number("layer") == 3).ShouldBe(1);
        report.GetProperty("recommendations").GetArrayLength().ShouldBeGreaterThanOrEqualTo(3);
        var html = await File.ReadAllTextAsync(Path.Combine(assay.Folder, "out", "report.html"));
        html.ShouldContain("simulated", Case.Insensitive);
        html.ShouldContain("Anker");

        var second = await assay.RunAsync(["audit", "samples/anker.json", "--out", "again"]);

        second.ExitCode.ShouldBe(0, second.ToString());
        second.Output.ShouldContain("reused, $0");
        (await Report.ReadAsync(Path.Combine(assay.Folder, "again", "report.json"))).Text("auditId").ShouldBe(report.Text("auditId"));
    }
}
