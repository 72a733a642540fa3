using Assay.Contracts.Internal.Analyzer;
using Assay.Dashboard.Answers;

namespace Assay.Dashboard.Tests.Answers;

public sealed class ATextWithMentions
{
    static DescribedMention Mention(int start, int end) => new() { Brand = "Anker", Alias = "Anker", Start = start, End = end, Rank = 1, Sentiment = 0, Recommendation = 0.5, Context = "" };

    [Fact]
    public void Should_be_cut_at_their_offsets()
    {
        var parts = Highlight.Cut("🎧 Anker and Anker", [Mention(13, 18), Mention(3, 8)]);
        parts.Select(p => p.Text).ShouldBe(["🎧 ", "Anker", " and ", "Anker"]);
        parts.Count(p => p.Mention is not null).ShouldBe(2);
    }

    [Theory]
    [InlineData(0, 99)]
    [InlineData(3, 3)]
    [InlineData(5, 2)]
    [InlineData(-1, 4)]
    public void Should_stay_whole_when_an_offset_is_outside(int start, int end) =>
        string.Concat(Highlight.Cut("Anker leads", [Mention(start, end)]).Select(p => p.Text)).ShouldBe("Anker leads");

    [Fact]
    public void Should_stay_whole_when_mentions_overlap()
    {
        var parts = Highlight.Cut("Anker Soundcore", [Mention(0, 15), Mention(6, 15)]);
        string.Concat(parts.Select(p => p.Text)).ShouldBe("Anker Soundcore");
        parts.Count.ShouldBe(1);
    }
}
