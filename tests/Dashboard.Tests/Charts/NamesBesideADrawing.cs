using Assay.Dashboard.Charts;

namespace Assay.Dashboard.Tests.Charts;

public sealed class NamesBesideADrawing
{
    [Theory]
    [InlineData("Anker", "Anker")]
    [InlineData("Northwind One Limited", "Northwind One Limited")]
    [InlineData("=HYPERLINK(\"http://evil/\")<script>Acme", "=HYPERLINK(\"http://…")]
    [InlineData("WWWWWWWWWWWWWWWWWWWW", "WWWWWWWWWWW…")]
    public void Should_lose_their_end_not_their_beginning(string name, string shown) => ChartSpec.Fitting(name, 154).ShouldBe(shown);
}
