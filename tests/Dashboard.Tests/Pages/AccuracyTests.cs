using Assay.Dashboard.Pages;

namespace Assay.Dashboard.Tests.Pages;

public sealed class TheAccuracyOfThisRelease
{
    [Fact]
    public void Should_be_that_of_its_document()
    {
        var accuracy = Accuracy.OfRelease;

        accuracy.MatcherVersion.ShouldStartWith("matcher-");
        accuracy.Columns[0].ShouldBe("all");
        accuracy.Rows.Select(row => row.Name).ShouldBe(["mention recall", "mention recall where named", "mention precision", "mention F1", "rank-1 recall", "rank-1 precision", "rank-1 F1"]);
        accuracy.Rows.ShouldAllBe(row => row.Values.Count == accuracy.Columns.Count && row.Values.All(v => v.Low <= v.Value && v.Value <= v.High));
        accuracy.Rows[0].Values[0].Value!.Value.ShouldBeGreaterThanOrEqualTo(0.97);
        accuracy.Reading.ShouldContain("708 of 714");
    }

    [Theory]
    [InlineData("no table")]
    [InlineData("9 labels, 95 %\n\n| `m` | all |\n| --- | --- |\n| mention recall | about 1 |\n\nTrue precision: 1")]
    public void Should_not_be_guessed_from_another_document(string document) => Should.Throw<InvalidOperationException>(() => Accuracy.Parse(document)).Message.ShouldContain("accuracy.md");

    [Fact]
    public void Should_name_every_metric_a_report_may_hold()
    {
        foreach (var metric in new[] { "visibility", "shareOfVoice", "shareOfVoiceOpen", "shareOfVoiceProminence", "averagePosition", "mrr", "top1", "top3", "recommendationRate", "citationRate", "netSentiment", "discoveryGap", "visibilityBranded", "stability", "contextCompleteness", "pawc", "geo", "geoWordCount", "falseMentionFloor", "overall" })
            Metrics.Find(metric).ShouldNotBeNull(metric);
    }
}
