using Assay.Contracts.Internal.Analyzer;
using Assay.Dashboard.Answers;

namespace Assay.Dashboard.Tests.Answers;

public sealed class AnAnswerBehindAMetric
{
    static readonly DescribedAnswer Named = Sample.Answer("chatgpt", 1);
    static readonly DescribedAnswer Absent = Sample.Answer("chatgpt", 1, "Sony is good.");

    [Fact]
    public void Should_count_where_it_names_the_brand()
    {
        MetricEvidence.Counts("visibility", "Anker", Named).ShouldBe(true);
        MetricEvidence.Counts("visibility", "Anker", Absent).ShouldBe(false);
        MetricEvidence.Counts("visibility", "Sony", Named).ShouldBe(true);
        MetricEvidence.Counts("visibility", "JBL", Named).ShouldBe(false);
    }

    [Theory]
    [InlineData("refused")]
    [InlineData("declined")]
    [InlineData("empty")]
    [InlineData("inDoubt")]
    public void Should_not_be_asked_unless_it_is_valid(string outcome) => MetricEvidence.Counts("visibility", "Anker", Named with { Outcome = outcome }).ShouldBeNull();

    [Theory]
    [InlineData("visibility", null)]
    [InlineData("visibilityBranded", true)]
    [InlineData("discoveryGap", true)]
    public void Should_be_told_apart_for_branded_queries(string metric, bool? counts) => MetricEvidence.Counts(metric, "Anker", Named with { Branded = true }).ShouldBe(counts);

    [Theory]
    [InlineData("visibility", null)]
    [InlineData("falseMentionFloor", false)]
    public void Should_keep_the_control_query_out_of_everything_else(string metric, bool? counts) => MetricEvidence.Counts(metric, "Anker", Named with { Control = true }).ShouldBe(counts);

    [Fact]
    public void Should_enter_the_citation_rate_only_with_search_on()
    {
        MetricEvidence.Counts("citationRate", "Anker", Named).ShouldBeNull();
        var owned = Named.Citations[0] with { Category = "owned" };
        MetricEvidence.Counts("citationRate", "Anker", Named with { SearchOn = true }).ShouldBe(false);
        MetricEvidence.Counts("citationRate", "Anker", Named with { SearchOn = true, Citations = [owned] }).ShouldBe(true);
        MetricEvidence.Counts("citationRate", "Anker", Named with { SearchOn = true, Citations = [owned with { Cited = false }] }).ShouldBe(false);
    }

    [Theory]
    [InlineData("top1", true)]
    [InlineData("top3", true)]
    [InlineData("recommendationRate", true)]
    [InlineData("averagePosition", true)]
    [InlineData("netSentiment", true)]
    public void Should_count_for_what_its_mentions_say(string metric, bool counts) => MetricEvidence.Counts(metric, "Anker", Named).ShouldBe(counts);

    [Fact]
    public void Should_have_no_position_where_the_brand_is_absent() => MetricEvidence.Counts("averagePosition", "Anker", Absent).ShouldBeNull();
}
