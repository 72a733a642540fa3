using Assay.Dashboard.Pages;

namespace Assay.Dashboard.Tests.Pages;

public sealed class ShortIds
{
    [Fact]
    public void Should_differ_for_audits_of_one_minute()
    {
        var at = new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
        var ids = Enumerable.Range(0, 60).Select(second => Guid.CreateVersion7(at.AddSeconds(second))).ToList();
        ids.ConvertAll(Show.Short).ShouldBeUnique();
        Show.Short(ids[0]).ShouldBe("…" + ids[0].ToString()[28..]);
    }
}
