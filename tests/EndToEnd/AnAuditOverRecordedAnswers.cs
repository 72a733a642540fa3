namespace Assay.EndToEnd;

public sealed class AnAuditOverRecordedAnswers
{
    [Fact]
    [Trait("Needs", "Shared")]
    public async Task Should_complete_with_every_answer_verbatim_and_its_mentions_at_their_offsets()
    {
        using var assay = new AssayCommand();
        await File.WriteAllTextAsync(Path.Combine(assay.Folder, "request.json"), RecordedAnswers.Request(RecordedAnswers.Queries, "chatgpt").ToJsonString());

        var result = await assay.RunAsync(["audit", "request.json", "--out", "out"], RecordedAnswers.ReplaySettings);

        result.ExitCode.ShouldBe(0, result.ToString());
        var report = await Report.ReadAsync(Path.Combine(assay.Folder, "out", "report.json"));
        report.Text("status").ShouldBe("Completed");
        report.ShouldAddUp();
        report.GetProperty("coverage").Number("planned").ShouldBe(RecordedAnswers.Queries.Count);
        foreach (var answer in report.GetProperty("answers").EnumerateArray())
            answer.Text("text").ShouldBe(RecordedAnswers.Answer(answer.Text("query")!, "chatgpt-web", answer.Number("run")));
        report.ShouldHoldMentionsAtTheirOffsets(["Anker", "Soundcore", "Sony", "JBL", "Apple", "Bose"]);
    }
}
